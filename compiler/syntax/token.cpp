#include "compiler/syntax/token.h"

#include <array>

namespace talweg::syntax {

namespace {

struct TokenInfo {
  std::string_view text;
  unsigned flags;
};

constexpr std::array kTokens = {
#define TALWEG_TOKEN(grammar_name, name, text, flags) TokenInfo{text, flags},
#include "compiler/syntax/tokens.inc"
#undef TALWEG_TOKEN
    TokenInfo{"the end of the file", 0},
};

}  // namespace

bool has(TokenKind kind, unsigned flag) {
  return (kTokens[static_cast<std::size_t>(kind)].flags & flag) != 0;
}

std::string_view describe(TokenKind kind) { return kTokens[static_cast<std::size_t>(kind)].text; }

}  // namespace talweg::syntax
