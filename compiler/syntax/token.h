// Tokens as the front end handles them between the lexer and the parser: kind and place, no ANTLR.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source.h"

namespace talweg::syntax {

enum class TokenKind : std::uint8_t {
#define TALWEG_TOKEN(grammar_name, name, text, flags) name,
#include "compiler/syntax/tokens.inc"
#undef TALWEG_TOKEN
  End,
};

enum TokenFlag : unsigned {
  kKeyword = 1,     // a word that cannot be a name
  kDeclares = 2,    // begins a declaration of the module and nothing else
  kRuleItem = 4,    // begins an item of a rule
  kEnds = 8,        // may be the last token of a statement
  kContinues = 16,  // at the beginning of a line continues the line above
  kValue = 32,      // may begin a value
  kOperator = 64,   // stands between two values
  kAssigns = 128,
  kOpens = 256,
  kCloses = 512,
};

struct Token {
  TokenKind kind;
  std::uint32_t begin = 0;  // bytes [begin, end) of the source
  std::uint32_t end = 0;
  std::uint32_t line = 1;
};

bool has(TokenKind kind, unsigned flag);
/// "`rule`", "a name", "the end of the line".
std::string_view describe(TokenKind kind);

/// The tokens of one source. `docs` are texts of /// lines, by the offset of the token right below
/// them. `reported` are offsets of tokens an error was reported for: the parser is silent about
/// their statements.
struct TokenList {
  std::vector<Token> tokens;  // the last is End
  std::map<std::uint32_t, std::string> docs;
  std::vector<std::uint32_t> reported;
};

}  // namespace talweg::syntax
