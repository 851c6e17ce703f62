// What to write instead, where something stands that cannot follow.
#include "compiler/syntax/parser_messages.h"

namespace talweg::syntax {

/// Mistakes in the form of one declaration, statement or pipeline.
std::string ParserMessages::hint_of_form(const Misfit& misfit, const Extent& extent) const {
  const TokenKind token = kind(misfit.index), next = kind_after(misfit.index);
  const TokenKind opener = kind(extent.first);
  const bool wants_block = misfit.expected.contains(TokenKind::LeftBrace);
  if (misfit.expected.contains(TokenKind::Pipe) &&
      (token == TokenKind::Comma || token == TokenKind::Greater || token == TokenKind::Plus ||
       (token == TokenKind::Minus && next == TokenKind::Greater)))
    return "stages of a pipeline are joined by `|`: `A | B`";
  if (token == TokenKind::Else && opener == TokenKind::When)
    return "tensors that no `when` takes are those of `otherwise: Rule`, on a line of its own";
  if (token == TokenKind::LeftBrace && opener == TokenKind::When)
    return fmt::format("a pipeline stands behind a colon: `{}: Rule`",
                       written(extent.first, misfit.index));
  if (token == TokenKind::Colon && wants_block)
    return fmt::format("what belongs to it stands in braces: `{} {{ ... }}`",
                       written(extent.first, misfit.index));
  if (token == TokenKind::Colon && opener == TokenKind::Hyper)
    return fmt::format("a default stands behind `=`: `{} = 0.1`",
                       written(extent.first, misfit.index));
  if (token == TokenKind::LeftParen && opener == TokenKind::Rule)
    return "hypers are declared in the rule: `rule R { hyper lr = 0.1 ... }`";
  if ((kind_before(misfit.index) == TokenKind::Hold ||
       kind_before(misfit.index) == TokenKind::SkipStep) &&
      token != TokenKind::If)
    return fmt::format("`{0}` has a condition: `{0} if t < 10`, say", text(misfit.index - 1));
  return {};
}

std::string ParserMessages::hint(const Misfit& misfit, const Extent& extent) const {
  if (std::string form = hint_of_form(misfit, extent); !form.empty()) return form;
  const Token& token = list_.tokens[misfit.index];
  const bool junk = is_list(misfit.place) && misfit.expected.contains(TokenKind::Separator);
  if (kind(misfit.index) == TokenKind::Dot && kind_after(misfit.index) == TokenKind::Number)
    return fmt::format("write `0.{}`", text(misfit.index + 1));
  if (has(token.kind, kCloses) && kind_before(misfit.index) == TokenKind::Comma)
    return "no comma stands behind the last of a list: remove it";
  if (junk && token.kind == TokenKind::Equal) return "a value is given with `=`";
  if (kind(extent.first) == TokenKind::Matrix)
    return "write `matrix (0 | rest)`, `matrix (last two)` or `matrix (two largest)`";
  if (junk && token.kind == TokenKind::Colon &&
      (kind_after(misfit.index) == TokenKind::Name ||
       kind_after(misfit.index) == TokenKind::Matrix) &&
      (kind(extent.first) == TokenKind::State || kind(extent.first) == TokenKind::Input))
    return fmt::format("the rate stands before the name: `{} {} {}`", text(extent.first),
                       text(misfit.index + 1), text(misfit.index - 1));
  if (junk && kind(extent.first) == TokenKind::State)
    return "a state is written `state m`, `state model best = inf`";
  if (junk && kind(extent.first) == TokenKind::Input)
    return "an input is written `input hessian`, `input model loss`";
  if (junk && has(token.kind, kAssigns) && misfit.index > extent.first + 1)
    return "one statement assigns one name";
  if (junk &&
      (token.kind == TokenKind::Name || token.kind == TokenKind::Number ||
       token.kind == TokenKind::LeftParen) &&
      has(kind_before(misfit.index), kEnds) && kind_before(misfit.index) != TokenKind::RightBrace)
    return "a product needs its `*`, a call its parentheses; two statements on one line need a `;` "
           "between them";
  if (junk) return "each statement begins on a line of its own, or after a `;`";
  if (misfit.place == Place::Range)
    return "a range is written `in [0, 1)`: a square bracket takes its end in, a round one leaves "
           "it "
           "out";
  return {};
}

}  // namespace talweg::syntax
