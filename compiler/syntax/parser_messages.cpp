// What is said when no special mistake (parser_mistakes.cpp) is recognised, and where parsing goes
// on.
#include "compiler/syntax/parser_messages.h"

#include <algorithm>
#include <array>

namespace talweg::syntax {

using base::DiagnosticKind;

namespace {

/// The kinds as words, the many that may begin or continue a value as one.
std::string list_expected(std::set<TokenKind> expected) {
  std::vector<std::string> words;
  const auto drop = [&](unsigned flag) {
    std::erase_if(expected, [&](TokenKind kind) { return has(kind, flag); });
  };
  if (expected.contains(TokenKind::Let) && expected.contains(TokenKind::For)) {
    words.emplace_back("a statement");
    drop(kValue);
    for (const TokenKind kind :
         {TokenKind::Let, TokenKind::Var, TokenKind::If, TokenKind::For, TokenKind::SkipStep,
          TokenKind::Hold, TokenKind::Regrad, TokenKind::Separator, TokenKind::RightBrace})
      expected.erase(kind);
  } else if (expected.contains(TokenKind::Rule)) {
    words.emplace_back("a declaration");
    drop(kDeclares);
    for (const TokenKind kind : {TokenKind::Let, TokenKind::Separator, TokenKind::End})
      expected.erase(kind);
  } else if (expected.contains(TokenKind::Number) && expected.contains(TokenKind::Not)) {
    words.emplace_back("a value");
    drop(kValue);
  }
  if (expected.contains(TokenKind::Plus) && expected.contains(TokenKind::Star)) {
    drop(kOperator | kAssigns);
    expected.erase(TokenKind::Per);
    expected.erase(TokenKind::Dot);
    expected.erase(TokenKind::LeftParen);
  }
  if (expected.contains(TokenKind::Hyper)) {
    words.emplace_back("a declaration of the rule");
    drop(kRuleItem);
    expected.erase(TokenKind::Separator);
  }
  if (expected.contains(TokenKind::Name)) expected.erase(TokenKind::Matrix);
  if (expected.contains(TokenKind::Separator)) {
    expected.erase(TokenKind::End);
    expected.erase(TokenKind::RightBrace);
  }
  for (const TokenKind kind : expected) words.emplace_back(describe(kind));
  constexpr std::size_t kMostWords = 5;
  if (words.empty() || words.size() > kMostWords) return "something else";
  std::string result = words.front();
  for (std::size_t i = 1; i < words.size(); ++i)
    result += (i + 1 == words.size() ? " or " : ", ") + words[i];
  return result;
}

}  // namespace

ParserMessages::ParserMessages(const Input& input, const TokenList& list)
    : input_(input), list_(list), reported_(list.reported) {
  depths_.reserve(list.tokens.size());
  int depth = 0;
  for (const Token& token : list.tokens) {
    depths_.push_back(depth);
    if (has(token.kind, kOpens)) ++depth;
    if (has(token.kind, kCloses)) --depth;
  }
}

std::size_t ParserMessages::resume_at(std::size_t index, int depth) const {
  for (; kind(index) != TokenKind::End; ++index) {
    if (depths_[index] > depth) continue;
    if (kind(index) == TokenKind::Separator || has(kind(index), kCloses)) break;
  }
  return index;
}

ParserMessages::Extent ParserMessages::statement(std::size_t index) const {
  const auto is_end = [&](std::size_t i) {
    return kind(i) == TokenKind::Separator || kind(i) == TokenKind::LeftBrace ||
           kind(i) == TokenKind::RightBrace || kind(i) == TokenKind::End;
  };
  Extent extent{index, index};
  while (extent.first > 0 && !is_end(extent.first - 1)) --extent.first;
  while (!is_end(extent.last)) ++extent.last;
  return extent;
}

bool ParserMessages::spoke_about(std::size_t index) const {
  return reported_within(statement(index));
}

bool ParserMessages::reported_within(const Extent& extent) const {
  const std::uint32_t begin = list_.tokens[extent.first].begin;
  // A token left out at the end of a line lies between its separator and the next token.
  const std::size_t next = extent.last + (kind(extent.last) == TokenKind::Separator ? 1 : 0);
  const std::uint32_t bound = list_.tokens[next].begin;
  const std::uint32_t end = std::max(begin, next > extent.last ? bound - 1 : bound);
  return std::any_of(reported_.begin(), reported_.end(),
                     [&](std::uint32_t at) { return at >= begin && at <= end; });
}

std::string ParserMessages::found(std::size_t index) const {
  constexpr std::size_t kMostBytes = 40;
  const Token& token = list_.tokens[index];
  if (token.kind == TokenKind::End || token.begin == token.end)
    return std::string(describe(token.kind));
  if (token.end - token.begin > kMostBytes) return std::string(describe(token.kind));
  return fmt::format("`{}`", text(index));
}

std::string ParserMessages::written(std::size_t first, std::size_t end) const {
  constexpr std::size_t kMostBytes = 60;
  if (first >= end) return "...";
  const Token& last = list_.tokens[end - 1];
  const Token& token = list_.tokens[first];
  if (last.line != token.line || last.end - token.begin > kMostBytes) return "...";
  return input_.source().text().substr(token.begin, last.end - token.begin);
}

void ParserMessages::report(const Misfit& misfit) {
  if (input_.diagnostics.full()) return;
  const Extent extent = statement(misfit.index);
  if (reported_within(extent)) return;
  if (!foreign_word(misfit, extent) && !assignment_in_condition(misfit, extent) &&
      !wrong_if(misfit, extent) && !misplaced_declaration(misfit) && !misplaced_statement(misfit) &&
      !stray_line(misfit) && !per_without_rate(misfit) &&
      !call_without_parentheses(misfit, extent) && !misused_regrad(misfit, extent) &&
      !missing_block(misfit, extent) && !misspelt_statement(misfit, extent) &&
      !keyword_as_name(misfit))
    unexpected(misfit, extent);
  reported_.push_back(list_.tokens[misfit.index].begin);
}

void ParserMessages::unexpected(const Misfit& misfit, const Extent& extent) {
  const Token& token = list_.tokens[misfit.index];
  auto built = input_.diagnostics.report(DiagnosticKind::UnexpectedToken, input_.span(token),
                                         list_expected(misfit.expected), found(misfit.index));
  if (std::string help = hint(misfit, extent); !help.empty()) built.help(std::move(help));
}

}  // namespace talweg::syntax
