// `regrad`: where it may stand, how many a pipeline may have, and that one answer serves the whole
// model.
#include <fmt/format.h>

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

/// False, after a report, where there are too many.
bool Checker::counts_regrad(Span span) {
  ++regrads_of_step_;
  ++written_regrads_;
  std::string what;
  std::string_view help;
  if (regrads_of_step_ > CheckLimits::kMaxRegrads) {
    what = fmt::format("a step can ask for a new gradient more than {} times",
                       CheckLimits::kMaxRegrads);
    help =
        "ask for fewer: each is one more gradient of the whole model, those of a loop one by one";
  } else if (written_regrads_ > CheckLimits::kMaxWrittenRegrads) {
    what = fmt::format("a pipeline has more than {} `regrad`s", CheckLimits::kMaxWrittenRegrads);
    help = "let arms of an `if` share one: choose where `param` moves, then write `regrad` behind";
  } else {
    return true;
  }
  reporter_.report(DiagnosticKind::RegradLimit, span, what).help(std::string(help));
  reporter_.stop();
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
    if (!counts_regrad(span)) return;
  }
  put(span, TypedRegrad{});
}

}  // namespace talweg::sema
