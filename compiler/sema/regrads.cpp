// `regrad`: where it may stand, how many a pipeline may have, and that one answer serves the whole
// model.
#include "compiler/sema/checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

bool Checker::may_regrad_here(Span span) {
  if (frame_->place == Place::Step && open_expressions_ == 0) return true;
  const bool is_after = frame_->place == Place::After && open_expressions_ == 0;
  reporter_
      .report(DiagnosticKind::RegradMisplaced, span,
              frame_->place == Place::Function ? "a function"
              : is_after                       ? "an `after`"
                                               : "a value")
      .help(is_after ? "the step has been made by then: write it in the `step`"
                     : "write it in the `step`, behind what moves `param`");
  return false;
}

void Checker::node(Span span, const syntax::RegradStmt&) {
  if (!may_regrad_here(span) || !is_decided_for_model(span, "regrad")) return;
  // The caller computes the gradient at `param` as it is now; the one before is gone.
  flow_.read({SymbolKind::Param, 0});
  flow_.replaced({SymbolKind::Grad, 0}, span);
  if (discarding_ == 0) {
    frame_->rule->changes_something = true;
    if (!frame_->rule->regrad) frame_->rule->regrad = span;
    if (++regrad_count_ > CheckLimits::kMaxRegrads) {
      reporter_.report(DiagnosticKind::RegradLimit, span, CheckLimits::kMaxRegrads);
      reporter_.stop();
      return;
    }
  }
  put(span, TypedRegrad{});
}

}  // namespace talweg::sema
