// What happens between text and parser, in this order:
//   check_text -> lex -> balance_brackets -> lay_out -> check_nesting
// Each step reports what is wrong and mends the tokens so that the next can go on; a step that
// returns false (or nothing) found text that is not worth, or not safe, parsing.
#pragma once

#include <optional>

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"
#include "compiler/syntax/token.h"

namespace talweg::syntax {

/// One source and where to report about it.
struct Input {
  base::SourceId id;
  const base::Sources& sources;
  base::Diagnostics& diagnostics;

  [[nodiscard]] const base::Source& source() const { return sources[id]; }
  [[nodiscard]] base::Span span(const Token& token) const { return {id, token.begin, token.end}; }
  [[nodiscard]] std::string_view text(const Token& token) const {
    return std::string_view(source().text()).substr(token.begin, token.end - token.begin);
  }
};

/// Size, encoding and NUL characters of the text.
bool check_text(const Input& input);

/// Text to tokens. Characters, numbers and comments that are not of the language are reported and
/// replaced or left out. Nothing if there are too many tokens, or one is too long.
std::optional<TokenList> lex(const Input& input);

/// Afterwards every bracket has its partner: missing ones are put in, useless ones left out. False
/// if brackets stand too deep within each other.
bool balance_brackets(const Input& input, TokenList& list);

/// Puts in separators (see grammar/Talweg.g4) and tells the `if` of a value from the `if` of a
/// statement. Needs balanced brackets.
void lay_out(TokenList& list);

/// False, after reporting, if brackets, prefix operators, powers and ifs stand too deep within each
/// other for a parser that recurses.
bool check_nesting(const Input& input, const TokenList& list);

/// Reports that the text at `token` is nested too deeply.
void report_nesting(const Input& input, const Token& token);

/// True if the text so far can only be a beginning: an open bracket, or a last line that needs
/// more.
bool needs_more(const TokenList& list);

}  // namespace talweg::syntax
