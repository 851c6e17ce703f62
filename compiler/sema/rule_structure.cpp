// The structure of a rule: what it may hold together, what comes with later versions, and warnings
// about a rule as a whole.
#include <fmt/format.h>

#include "compiler/sema/idle_states.h"
#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

void PipelineChecker::check_structure(const syntax::RuleDecl& decl) {
  const auto once = [&](const auto& blocks, std::string_view what) {
    for (std::size_t i = 1; i < blocks.size(); ++i)
      reporter_.report(DiagnosticKind::RepeatedBlock, blocks[i].span, decl.name.text, what)
          .label(blocks[0].span, "the first one");
  };
  once(decl.steps, "step");
  once(decl.afters, "after");
  once(decl.pipelines, "pipeline");
  check_splits(decl);
  if (decl.pipelines.empty() && decl.arms.empty()) return;
  const Span pipeline = decl.pipelines.empty() ? decl.arms[0].span : decl.pipelines[0].span;
  const auto refuse = [&](Span span, std::string_view what) {
    reporter_.report(DiagnosticKind::PipelineWithMore, span, decl.name.text, what)
        .label(pipeline, "its pipeline");
  };
  if (!decl.pipelines.empty() && !decl.arms.empty()) refuse(decl.arms[0].span, "a `when`");
  if (!decl.steps.empty()) refuse(decl.steps[0].span, "a `step`");
  if (!decl.afters.empty()) refuse(decl.afters[0].span, "an `after`");
  if (!decl.states.empty()) refuse(decl.states[0].span, "states");
  if (!decl.views.empty()) refuse(decl.views[0].span, "views");
}

void PipelineChecker::warn(const RuleInstance& instance) {
  const syntax::RuleDecl& decl = *instance.decl;
  for (const HyperMember& hyper : instance.hypers)
    if (!hyper.is_used)
      reporter_.report(DiagnosticKind::HyperNeverUsed, hyper.decl->name.span,
                       hyper.decl->name.text);
  for (const InputMember& input : instance.inputs)
    if (!input.is_read)
      reporter_.report(DiagnosticKind::InputNeverRead, input.decl->name.span,
                       input.decl->name.text);
  if (!decl.matrices.empty() && !instance.mentions_matrices)
    reporter_.report(DiagnosticKind::SplitNeverUsed, decl.matrices.front().span, decl.name.text);
  warn_of_states(instance);
  if (decl.pipelines.empty() && decl.arms.empty() && !instance.changes_something)
    reporter_.report(DiagnosticKind::RuleChangesNothing, decl.name.span, decl.name.text)
        .help("assign `update`, `param`, `grad` or a state");
  checker_.warn_of_unused();
}

void PipelineChecker::warn_of_states(const RuleInstance& instance) {
  const std::vector<TypedState>& states = builder_.rule.states;
  for (const StateMember& state : instance.states) {
    const syntax::Name& name = state.decl->name;
    // A scalar state that is assigned may be there for later stages, or for whoever reads it from
    // outside.
    if (!state.is_read && (!state.is_assigned || types::is_array(states[state.index].rate)))
      reporter_.report(DiagnosticKind::StateNeverRead, name.span, name.text);
    if (state.is_read && !state.is_assigned && !state.decl->initial)
      reporter_.report(DiagnosticKind::StateNeverAssigned, name.span, name.text)
          .help(fmt::format("assign it, give it a value to begin with (`state {0} = param`), or "
                            "write 0 for it",
                            name.text));
  }
  for (const IdleState& idle : idle_states(builder_.rule, checker_.dropped_reads())) {
    std::vector<std::string> readers;
    for (const std::uint32_t reader : idle.readers)
      readers.push_back(reader == idle.state ? "itself" : fmt::format("`{}`", states[reader].name));
    const TypedState& state = states[idle.state];
    reporter_.report(DiagnosticKind::StateReachesNothing, state.span, state.name,
                     fmt::format("{}", fmt::join(readers, ", ")));
  }
}

}  // namespace talweg::sema
