// The special cases come first, the most telling one wins; `unexpected` is what is left.
#include "compiler/syntax/parser_messages.h"

#include <algorithm>
#include <array>

namespace talweg::syntax {

using base::DiagnosticKind;

namespace {

/// Words that open statements or declarations in other languages, and what we write.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kForeignWords = {{
    {"return", "a function's body is its value: `fn f(x) = x^2`, or the last line of `{ }`"},
    {"while", "loops have constant bounds: `for i in 1..5 { }`"},
    {"elif", "write `else if`"},
    {"elseif", "write `else if`"},
    {"elsif", "write `else if`"},
    {"def", "a function begins with `fn`"},
    {"func", "a function begins with `fn`"},
    {"function", "a function begins with `fn`"},
    {"const", "a constant is written `let name = 1`"},
    {"val", "a value is named with `let`"},
    {"auto", "a value is named with `let`"},
    {"float", "a value is named with `let`; its type is inferred"},
    {"double", "a value is named with `let`; its type is inferred"},
    {"class", "an optimizer is a `rule`"},
    {"struct", "an optimizer is a `rule`"},
    {"optimizer", "an optimizer is a `rule`"},
    {"from", "write `import module: Name`"},
}};

std::string_view advice_for_word(std::string_view word) {
  for (const auto& [theirs, advice] : kForeignWords)
    if (theirs == word) return advice;
  return {};
}

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

bool is_block_like(Place place) {
  return place == Place::Module || place == Place::RuleBody || place == Place::Block;
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

void ParserMessages::report(const Misfit& misfit) {
  if (input_.diagnostics.full()) return;
  const Extent extent = statement(misfit.index);
  if (reported_within(extent)) return;
  if (!foreign_word(misfit, extent) && !assignment_in_condition(misfit, extent) &&
      !wrong_if(misfit, extent) && !wrong_place(misfit) && !stray_line(misfit) &&
      !keyword_as_name(misfit))
    unexpected(misfit, extent);
  reported_.push_back(list_.tokens[misfit.index].begin);
}

bool ParserMessages::foreign_word(const Misfit& misfit, const Extent& extent) {
  if (kind(extent.first) != TokenKind::Name || !begins_line(extent.first)) return false;
  const std::string_view advice = advice_for_word(text(extent.first));
  if (advice.empty() || misfit.index > extent.first + 1) return false;
  input_.diagnostics
      .report(DiagnosticKind::ForeignWord, input_.span(list_.tokens[extent.first]),
              text(extent.first))
      .help(std::string(advice));
  return true;
}

bool ParserMessages::keyword_as_name(const Misfit& misfit) {
  const TokenKind kind = this->kind(misfit.index);
  if (!has(kind, kKeyword) || !misfit.expected.contains(TokenKind::Name) ||
      begins_line(misfit.index))
    return false;
  const bool value_due = misfit.expected.contains(TokenKind::Number);
  const bool may_be_name =
      kind != TokenKind::If && kind != TokenKind::Then && kind != TokenKind::Else;
  if (value_due && !may_be_name) return false;
  input_.diagnostics
      .report(DiagnosticKind::KeywordAsName, input_.span(list_.tokens[misfit.index]),
              text(misfit.index))
      .help(fmt::format("choose another name, `{}_` say", text(misfit.index)));
  return true;
}

bool ParserMessages::assignment_in_condition(const Misfit& misfit, const Extent& extent) {
  if (kind(misfit.index) != TokenKind::Assign) return false;
  for (std::size_t i = misfit.index; i-- > extent.first;) {
    const TokenKind before = kind(i);
    if (before == TokenKind::Then || before == TokenKind::Else || has(before, kAssigns))
      return false;
    if (before != TokenKind::If && before != TokenKind::IfThen && before != TokenKind::When &&
        before != TokenKind::Require)
      continue;
    input_.diagnostics
        .report(DiagnosticKind::AssignmentInCondition, input_.span(list_.tokens[misfit.index]))
        .help("write `==` to ask whether two values are equal");
    return true;
  }
  return false;
}

bool ParserMessages::wrong_if(const Misfit& misfit, const Extent& extent) {
  const Token& token = list_.tokens[misfit.index];
  if (token.kind == TokenKind::If && misfit.expected.contains(TokenKind::IfThen)) {
    input_.diagnostics.report(DiagnosticKind::IfWithoutThen, input_.span(token))
        .help("write `if c then a else b`");
    return true;
  }
  if (!misfit.expected.contains(TokenKind::Else)) return false;
  std::size_t at = misfit.index;
  while (at > extent.first && kind(at) != TokenKind::IfThen) --at;
  if (kind(at) != TokenKind::IfThen) return false;
  if (has(token.kind, kAssigns)) {
    input_.diagnostics.report(DiagnosticKind::IfStatementWithThen, input_.span(list_.tokens[at]))
        .label(input_.span(token), "this assigns, so the `if` is a statement")
        .help("write `if c { x = 1 } else { x = 2 }`, or `x = if c then 1 else 2`");
    return true;
  }
  if (token.kind != TokenKind::Separator && token.kind != TokenKind::End &&
      token.kind != TokenKind::Comma && !has(token.kind, kCloses))
    return false;
  input_.diagnostics.report(DiagnosticKind::MissingElse, input_.span(list_.tokens[at]))
      .help("write `if c then a else b`");
  return true;
}

bool ParserMessages::wrong_place(const Misfit& misfit) {
  const Token& token = list_.tokens[misfit.index];
  if (!is_block_like(misfit.place) || !begins_line(misfit.index)) return false;
  if (misfit.place == Place::Module && has(token.kind, kRuleItem)) {
    input_.diagnostics
        .report(DiagnosticKind::MisplacedDeclaration, input_.span(token), text(misfit.index),
                "in a rule")
        .help("write `rule Name { ... }` around it");
    return true;
  }
  if (misfit.place == Place::Block && has(token.kind, kRuleItem)) {
    input_.diagnostics.report(DiagnosticKind::MisplacedDeclaration, input_.span(token),
                              text(misfit.index), "in the rule itself, not in a block");
    return true;
  }
  if (misfit.place != Place::Module && has(token.kind, kDeclares)) {
    input_.diagnostics.report(DiagnosticKind::MisplacedDeclaration, input_.span(token),
                              text(misfit.index), "at the top level of a file");
    return true;
  }
  const bool statement = token.kind == TokenKind::Name || token.kind == TokenKind::Let ||
                         token.kind == TokenKind::Var || token.kind == TokenKind::If ||
                         token.kind == TokenKind::IfThen || token.kind == TokenKind::For ||
                         token.kind == TokenKind::SkipStep || token.kind == TokenKind::Hold ||
                         token.kind == TokenKind::Regrad;
  if (misfit.place == Place::Block || !statement) return false;
  const bool in_rule = misfit.place == Place::RuleBody;
  const std::vector<std::string> words =
      in_rule ? std::vector<std::string>{"hyper", "state",    "input", "step",      "after",
                                         "view",  "pipeline", "when",  "otherwise", "require"}
              : std::vector<std::string>{"rule", "fn", "import", "let", "kernel"};
  auto built = input_.diagnostics.report(DiagnosticKind::MisplacedStatement, input_.span(token));
  const std::string near =
      token.kind == TokenKind::Name ? base::nearest_name(text(misfit.index), words) : std::string();
  const TokenKind next = kind(misfit.index + 1);
  if (!near.empty() && !has(next, kAssigns))
    built.help(fmt::format("did you mean `{}`?", near));
  else
    built.help(in_rule ? "put it in `step { }`; or declare it with `hyper`, `state` or `input`"
                       : "a file holds `rule`, `fn`, `import` and `let`");
  return true;
}

bool ParserMessages::stray_line(const Misfit& misfit) {
  const Token& token = list_.tokens[misfit.index];
  const bool stray = token.kind == TokenKind::Minus || token.kind == TokenKind::LeftParen ||
                     token.kind == TokenKind::LeftBracket;
  if (!stray || !is_block_like(misfit.place) || misfit.index == 0 ||
      kind(misfit.index - 1) != TokenKind::Separator)
    return false;
  input_.diagnostics.report(DiagnosticKind::LineNotJoined, input_.span(token), text(misfit.index))
      .help(token.kind == TokenKind::Minus
                ? "put the `-` at the end of the line above, or the whole value in parentheses"
                : "put the bracket on the line above");
  return true;
}

void ParserMessages::unexpected(const Misfit& misfit, const Extent& extent) {
  const Token& token = list_.tokens[misfit.index];
  auto built = input_.diagnostics.report(DiagnosticKind::UnexpectedToken, input_.span(token),
                                         list_expected(misfit.expected), found(misfit.index));
  const bool junk = is_block_like(misfit.place) && misfit.expected.contains(TokenKind::Separator);
  if (kind(misfit.index) == TokenKind::Dot && kind(misfit.index + 1) == TokenKind::Number)
    built.help(fmt::format("write `0.{}`", text(misfit.index + 1)));
  else if (junk && token.kind == TokenKind::Equal)
    built.help("a value is given with `=`");
  else if (junk && kind(extent.first) == TokenKind::State)
    built.help("a state is written `state m`, `state model best = inf`");
  else if (junk && kind(extent.first) == TokenKind::Input)
    built.help("an input is written `input hessian`, `input model loss`");
  else if (junk && has(token.kind, kAssigns) && misfit.index > extent.first + 1)
    built.help("one statement assigns one name");
  else if (junk &&
           (token.kind == TokenKind::Name || token.kind == TokenKind::Number ||
            token.kind == TokenKind::LeftParen) &&
           has(kind(misfit.index - 1), kEnds) && kind(misfit.index - 1) != TokenKind::RightBrace)
    built.help("a product needs its `*`; two statements on one line need a `;` between them");
  else if (junk)
    built.help("each statement begins on a line of its own, or after a `;`");
  else if (misfit.place == Place::Range)
    built.help(
        "a range is written `in [0, 1)`: a square bracket takes its end in, a round one leaves it "
        "out");
}

}  // namespace talweg::syntax
