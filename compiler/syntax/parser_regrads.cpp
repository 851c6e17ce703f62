// `regrad` taken for a value, a function or the first half of `skip if`; its block without braces;
// and statements of one word, or with an `if` behind them, that are misspelt.
#include "compiler/syntax/parser_messages.h"

namespace talweg::syntax {

using base::DiagnosticKind;

bool ParserMessages::misused_regrad(const Misfit& misfit, const Extent& extent) {
  const auto report = [&](std::size_t index, std::string_view what, std::string help) {
    input_.diagnostics.report(DiagnosticKind::RegradForm, input_.span(list_.tokens[index]), what)
        .help(std::move(help));
    return true;
  };
  if (kind(misfit.index) == TokenKind::Regrad && misfit.expected.contains(TokenKind::Number) &&
      !begins_line(misfit.index)) {
    const bool is_whole =
        kind_before(misfit.index) == TokenKind::Assign &&
        (misfit.index + 1 == extent.last || kind_after(misfit.index) == TokenKind::LeftParen);
    const bool is_grad =
        is_whole && misfit.index == extent.first + 2 && text(extent.first) == "grad";
    const std::string rest = written(extent.first, misfit.index);
    return report(misfit.index, "is a statement and has no value",
                  is_grad ? "write `regrad` alone: behind it `grad` is the new gradient"
                  : is_whole && rest != "..."
                      ? fmt::format("behind it `grad` is the new gradient: `regrad; {} grad`", rest)
                      : "write it on a line of its own; behind it `grad` is the new gradient");
  }
  if (kind_before(misfit.index) != TokenKind::Regrad || !begins_line(misfit.index - 1))
    return false;
  const std::size_t regrad = misfit.index - 1;
  if (kind(misfit.index) == TokenKind::If)
    return report(
        regrad, "takes no condition",
        fmt::format("write `if {} {{ regrad }}`", written(misfit.index + 1, extent.last)));
  if (kind(misfit.index) == TokenKind::LeftParen)
    return report(regrad, "takes no arguments",
                  "write `regrad`: the gradient is computed where `param` is then, and behind it "
                  "`grad` is the new one");
  return report(regrad, "is a statement of its own",
                "end the line, or write a `;`, behind it; there `grad` is the new gradient");
}

/// `if c regrad`, `if c x = 1`, `for i in 1..3 x = 1`.
bool ParserMessages::missing_block(const Misfit& misfit, const Extent& extent) {
  const TokenKind opener = kind(extent.first);
  const bool has_block =
      opener == TokenKind::If || opener == TokenKind::Else || opener == TokenKind::For;
  if (!has_block || !misfit.expected.contains(TokenKind::LeftBrace) ||
      !begins_statement(kind(misfit.index)) || kind(extent.last) == TokenKind::LeftBrace)
    return false;
  input_.diagnostics
      .report(DiagnosticKind::UnexpectedToken, input_.span(list_.tokens[misfit.index]), "`{`",
              found(misfit.index))
      .help(fmt::format("what belongs to it stands in braces: `{} {{ {} }}`",
                        written(extent.first, misfit.index), written(misfit.index, extent.last)));
  return true;
}

/// `re_grad if c`, `skp if c`.
bool ParserMessages::misspelt_statement(const Misfit& misfit, const Extent& extent) {
  if (kind(misfit.index) != TokenKind::If || misfit.index != extent.first + 1 ||
      kind(extent.first) != TokenKind::Name)
    return false;
  const std::string near = base::nearest_name(text(extent.first), {"regrad", "skip", "hold"});
  if (near.empty()) return false;
  const std::string condition = written(misfit.index + 1, extent.last);
  input_.diagnostics
      .report(DiagnosticKind::UnexpectedToken, input_.span(list_.tokens[misfit.index]),
              "the end of the line", found(misfit.index))
      .help(near == "regrad" ? fmt::format("did you mean `if {} {{ regrad }}`?", condition)
                             : fmt::format("did you mean `{} if {}`?", near, condition));
  return true;
}

}  // namespace talweg::syntax
