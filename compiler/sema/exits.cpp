// `skip if` and `hold if`: where they may stand, and that one answer serves the whole model.
#include <fmt/format.h>

#include "compiler/sema/checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

bool Checker::may_exit_here(Span span, ExitKind kind) {
  const bool in_block = frame_->place == Place::Step || frame_->place == Place::After;
  if (in_block && open_expressions_ == 0) return true;
  reporter_
      .report(DiagnosticKind::ExitMisplaced, span, to_text(kind),
              frame_->place == Place::Function ? "a function" : "a value")
      .help("write it in the `step`, before what it is to prevent");
  return false;
}

/// True if the condition, and every one around, is the same for the whole model.
bool Checker::fits_exit(Span span, ExitKind kind, const Value& condition) {
  const Rate rate = condition.type.rate;
  if (types::fits(rate, Rate::Model)) return is_decided_for_model(span, to_text(kind));
  auto report = reporter_.report(DiagnosticKind::ExitTooFast, condition.span, to_text(kind),
                                 types::to_text(rate));
  blame(report, condition.id, Rate::Model);
  if (rate == Rate::Group)
    suggest_model_rate(report, condition.id);
  else
    suggest_reduction(report, condition.id, Rate::Model);
  return false;
}

/// True for an expression of numbers and truth values alone.
bool Checker::names_nothing(syntax::ExprId id) const {
  const auto* chain = id.valid() ? std::get_if<syntax::BinaryExpr>(&tree()[id].node) : nullptr;
  while (chain) {  // it leans to the left without bound
    if (!names_nothing(chain->right)) return false;
    id = chain->left;
    chain = id.valid() ? std::get_if<syntax::BinaryExpr>(&tree()[id].node) : nullptr;
  }
  if (!id.valid()) return false;
  const auto& expr = tree()[id].node;
  if (const auto* unary = std::get_if<syntax::UnaryExpr>(&expr))
    return names_nothing(unary->operand);
  return std::holds_alternative<syntax::NumberLit>(expr) ||
         std::holds_alternative<syntax::BoolLit>(expr);
}

/// `true` has a meaning within an `if` or a loop; `false` has none anywhere.
void Checker::warn_of_constant_exit(Span span, ExitKind kind, bool condition) {
  if (condition && flow_.unread.is_within_arm()) return;
  reporter_.report(DiagnosticKind::ConstantExit, span, to_text(kind), condition ? "true" : "false")
      .help(condition ? "every call ends here, so no step is ever completed"
                      : "no call ever ends here");
}

void Checker::exit(Span span, ExitKind kind, syntax::ExprId id) {
  const bool is_allowed = may_exit_here(span, kind);
  const Value condition = expression(id);
  if (!expect_kind(condition, Kind::Bool, fmt::format("the condition of `{}`", to_text(kind))) ||
      !is_allowed || !fits_exit(span, kind, condition))
    return;
  if (frame_->is_watched && condition.constant && names_nothing(id))
    warn_of_constant_exit(span, kind, *condition.constant != 0);
  // What was assigned is what such a call leaves behind.
  flow_.read_all(SymbolKind::State);
  if (kind == ExitKind::Hold) flow_.read_all(SymbolKind::Param);
  if (discarding_ == 0) {
    frame_->rule->changes_something = true;
    if (!frame_->rule->exit) frame_->rule->exit = RuleInstance::Exit{kind, span};
  }
  put(span, TypedExit{kind, condition.id});
}

}  // namespace talweg::sema
