// Says what is wrong where the parser cannot go on, in the words of the language.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

/// Where in the grammar the parser stood.
enum class Place {
  Module,
  RuleBody,
  Block,
  Import,
  Function,
  Rule,
  Hyper,
  State,
  Input,
  Range,
  Pipeline,
  When,
  LoneExpression,
  Other,
};

/// True for lists of statements or declarations, where each stands on a line of its own.
constexpr bool is_list(Place place) {
  return place == Place::Module || place == Place::RuleBody || place == Place::Block;
}

/// True for a word that opens a statement, and for a name.
bool begins_statement(TokenKind kind);

/// A token that does not fit, and what would.
struct Misfit {
  std::size_t index;  // of the token in the list
  Place place;        // the innermost list of things the parser was in
  std::set<TokenKind> expected;
};

/// Reports misfits, at most one a statement.
class ParserMessages {
 public:
  ParserMessages(const Input& input, const TokenList& list);

  void report(const Misfit& misfit);

  /// True if something about the statement around this token has been reported.
  [[nodiscard]] bool spoke_about(std::size_t index) const;

  /// The first token at or after `index` where parsing can go on after a mistake in a list whose
  /// items stand at bracket depth `depth`: a separator, the closing `}`, or the end.
  [[nodiscard]] std::size_t resume_at(std::size_t index, int depth) const;
  /// Open brackets before the token.
  [[nodiscard]] int depth(std::size_t index) const { return depths_[index]; }

 private:
  struct Extent {
    std::size_t first, last;  // tokens of the statement around a token, its separators left out
  };
  [[nodiscard]] Extent statement(std::size_t index) const;
  [[nodiscard]] bool reported_within(const Extent& extent) const;
  [[nodiscard]] TokenKind kind(std::size_t index) const { return list_.tokens[index].kind; }
  /// The kind of the token before; a separator before the first.
  [[nodiscard]] TokenKind kind_before(std::size_t index) const {
    return index == 0 ? TokenKind::Separator : kind(index - 1);
  }
  /// The kind of the token after; the end after the last.
  [[nodiscard]] TokenKind kind_after(std::size_t index) const {
    return index + 1 < list_.tokens.size() ? kind(index + 1) : TokenKind::End;
  }
  [[nodiscard]] std::string_view text(std::size_t index) const {
    return input_.text(list_.tokens[index]);
  }
  [[nodiscard]] bool begins_line(std::size_t index) const {
    const TokenKind before = kind_before(index);
    return before == TokenKind::Separator || before == TokenKind::LeftBrace;
  }
  [[nodiscard]] std::string found(std::size_t index) const;
  /// The text from one token to before another, as far as it is short and on one line; else "...".
  [[nodiscard]] std::string written(std::size_t first, std::size_t end) const;

  // Each reports and returns true if the misfit is of its kind.
  bool foreign_word(const Misfit& misfit, const Extent& extent);
  bool keyword_as_name(const Misfit& misfit);
  bool assignment_in_condition(const Misfit& misfit, const Extent& extent);
  bool wrong_if(const Misfit& misfit, const Extent& extent);
  bool misplaced_declaration(const Misfit& misfit);
  bool misplaced_statement(const Misfit& misfit);
  bool stray_line(const Misfit& misfit);
  bool per_without_rate(const Misfit& misfit);
  bool call_without_parentheses(const Misfit& misfit, const Extent& extent);
  bool misused_regrad(const Misfit& misfit, const Extent& extent);
  bool missing_block(const Misfit& misfit, const Extent& extent);
  bool misspelt_statement(const Misfit& misfit, const Extent& extent);
  void unexpected(const Misfit& misfit, const Extent& extent);

  // parser_hints.cpp: what to write instead, or nothing
  [[nodiscard]] std::string hint(const Misfit& misfit, const Extent& extent) const;
  [[nodiscard]] std::string hint_of_form(const Misfit& misfit, const Extent& extent) const;

  const Input& input_;
  const TokenList& list_;
  std::vector<int> depths_;
  std::vector<std::uint32_t> reported_;  // offsets; also those reported before parsing
};

}  // namespace talweg::syntax
