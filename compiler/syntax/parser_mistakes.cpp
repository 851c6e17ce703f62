// Mistakes that are common enough to be recognised: words and habits of other languages, the two
// forms of `if` confused, things in the wrong place. `report` tries the most telling first.
#include <array>

#include "compiler/syntax/parser_messages.h"

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

/// The words that open what a place holds.
std::vector<std::string> words_of(Place place) {
  if (place == Place::RuleBody)
    return {"hyper", "state",    "input", "step",      "after",
            "view",  "pipeline", "when",  "otherwise", "require"};
  return {"rule", "fn", "import", "let", "kernel"};
}

}  // namespace

bool begins_statement(TokenKind kind) {
  constexpr std::array kStatements = {TokenKind::Name, TokenKind::Let,      TokenKind::Var,
                                      TokenKind::If,   TokenKind::IfThen,   TokenKind::For,
                                      TokenKind::Hold, TokenKind::SkipStep, TokenKind::Regrad};
  for (const TokenKind statement : kStatements)
    if (kind == statement) return true;
  return false;
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

bool ParserMessages::misplaced_declaration(const Misfit& misfit) {
  const Token& token = list_.tokens[misfit.index];
  if (!is_list(misfit.place) || !begins_line(misfit.index)) return false;
  std::string_view home;
  if (misfit.place == Place::Module && has(token.kind, kRuleItem))
    home = "in a rule";
  else if (misfit.place == Place::Block && has(token.kind, kRuleItem))
    home = "in the rule itself, not in a block";
  else if (misfit.place != Place::Module && has(token.kind, kDeclares))
    home = "at the top level of a file";
  if (home.empty()) return false;
  auto built = input_.diagnostics.report(DiagnosticKind::MisplacedDeclaration, input_.span(token),
                                         text(misfit.index), home);
  if (misfit.place == Place::Module) built.help("write `rule Name { ... }` around it");
  return true;
}

bool ParserMessages::misplaced_statement(const Misfit& misfit) {
  const Token& token = list_.tokens[misfit.index];
  const bool in_rule = misfit.place == Place::RuleBody;
  if (!(in_rule || misfit.place == Place::Module) || !begins_line(misfit.index) ||
      !begins_statement(token.kind))
    return false;
  auto built = input_.diagnostics.report(DiagnosticKind::MisplacedStatement, input_.span(token));
  const std::string near = token.kind == TokenKind::Name && !has(kind_after(misfit.index), kAssigns)
                               ? base::nearest_name(text(misfit.index), words_of(misfit.place))
                               : std::string();
  if (!near.empty())
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
  if (!stray || !is_list(misfit.place) || misfit.index == 0 ||
      kind_before(misfit.index) != TokenKind::Separator)
    return false;
  input_.diagnostics.report(DiagnosticKind::LineNotJoined, input_.span(token), text(misfit.index))
      .help(token.kind == TokenKind::Minus
                ? "put the `-` at the end of the line above, or the whole value in parentheses"
                : "put the bracket on the line above");
  return true;
}

/// `norm(grad) per`, and then no rate; a name on the next line is that of another statement.
bool ParserMessages::per_without_rate(const Misfit& misfit) {
  std::size_t per = misfit.index;
  for (int i = 0; i < 2 && per > 0 && kind(per) != TokenKind::Per; ++i) --per;
  if (kind(per) != TokenKind::Per || per == 0 || !has(kind(per - 1), kEnds)) return false;
  const Token& next = list_.tokens[per + 1];
  const bool is_last_of_line = next.line != list_.tokens[per].line;
  const bool is_rate = next.kind == TokenKind::Name || next.kind == TokenKind::Matrix;
  if (is_rate && !is_last_of_line) return false;
  constexpr std::string_view kHelp =
      "write `per tensor`, `per group`, `per model`, `per row`, `per col` or `per matrix`";
  const std::string what = is_last_of_line ? "the end of the line" : found(per + 1);
  auto report = input_.diagnostics.report(
      DiagnosticKind::UnexpectedToken, input_.span(list_.tokens[is_last_of_line ? per : per + 1]),
      "a rate behind `per`", what);
  report.help(std::string(kHelp));
  return true;
}

/// `sum grad per row`.
bool ParserMessages::call_without_parentheses(const Misfit& misfit, const Extent& extent) {
  if (!has(kind(misfit.index), kValue) || misfit.index <= extent.first ||
      kind(misfit.index - 1) != TokenKind::Name)
    return false;
  std::size_t per = misfit.index;
  while (per < extent.last && kind(per) != TokenKind::Per) ++per;
  if (kind(per) != TokenKind::Per || per + 1 >= extent.last) return false;
  input_.diagnostics
      .report(DiagnosticKind::UnexpectedToken, input_.span(list_.tokens[misfit.index]), "`(`",
              found(misfit.index))
      .help(fmt::format("a reduction has parentheses: `{}({}) per {}`", text(misfit.index - 1),
                        written(misfit.index, per), text(per + 1)));
  return true;
}

}  // namespace talweg::syntax
