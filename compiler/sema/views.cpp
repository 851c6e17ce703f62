// Views of one use of a rule. A hyper that the pipeline binds is computed again for a view, with
// `t` as the view sees it; that is the value of the last step only where it comes from hypers,
// constants and `t` alone, so anything else is refused.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/load_walk.h"
#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

namespace {

/// Whether a step computes the hyper's value.
bool is_computed(const TypedHyper& hyper) { return hyper.bound || hyper.follows; }

}  // namespace

/// What the value of a bound hyper comes from; found once.
const PipelineChecker::BoundHyper& PipelineChecker::examine(std::uint32_t hyper) {
  BoundHyper& bound = bound_hypers_.at(hyper);
  if (bound.is_examined) return bound;
  bound.is_examined = true;
  const auto need = [&](std::uint32_t other) {
    if (std::ranges::find(bound.needs, other) == bound.needs.end()) bound.needs.push_back(other);
  };
  LoadWalk(builder_.rule, [&](const TypedExpr& expr, std::optional<Symbol> symbol) {
    const bool is_hyper = symbol && symbol->kind == SymbolKind::Hyper;
    if (is_hyper && is_computed(builder_.rule.hypers[symbol->index])) {
      const BoundHyper& inner = examine(symbol->index);
      std::ranges::for_each(inner.needs, need);
      if (!bound.of_step) bound.of_step = inner.of_step;
    } else if (!symbol) {
      // It is over the tensors that have a gradient in a step.
      const auto& reduce = std::get<ReduceNode>(expr.node);
      if (!bound.of_step)
        bound.of_step = {expr.span, std::string(builtins::info(reduce.function).name)};
    } else if (!is_hyper && symbol->kind != SymbolKind::T && symbol->kind != SymbolKind::Local &&
               !bound.of_step) {
      bound.of_step = {expr.span, symbol_name(builder_.rule, *symbol)};
    }
  }).walk(bound.value);
  need(hyper);
  return bound;
}

void PipelineChecker::bind_hypers_of(TypedView& view) {
  std::vector<std::uint32_t> bound;
  LoadWalk(builder_.rule, [&](const TypedExpr& load, std::optional<Symbol> symbol) {
    if (!symbol || symbol->kind != SymbolKind::Hyper ||
        !is_computed(builder_.rule.hypers[symbol->index]))
      return;
    const auto found = bound_hypers_.find(symbol->index);
    if (found == bound_hypers_.end()) return;  // an error in its value was reported
    const BoundHyper& hyper = examine(symbol->index);
    for (const std::uint32_t needed : hyper.needs) {
      if (std::ranges::find(bound, needed) != bound.end()) continue;
      bound.push_back(needed);
      view.bindings.push_back({needed, bound_hypers_.at(needed).value});
    }
    if (!hyper.of_step) return;
    const std::string& name = builder_.rule.hypers[symbol->index].name;
    reporter_.report(DiagnosticKind::ViewOfBoundHyper, load.span, view.name, name)
        .label(hyper.of_step->span,
               fmt::format("`{}` is bound to this, and `{}` is known in a step only", name,
                           hyper.of_step->name))
        .help(fmt::format("keep what the step used: `state group last_{0}`, in `step` "
                          "`last_{0} = {0}`, and read `last_{0}` in the view",
                          name));
  }).walk(view.value);
}

void PipelineChecker::add_views(RuleInstance& instance, bool watch) {
  for (const syntax::ViewDecl& decl : instance.decl->views) {
    Frame frame{
        .module = instance.module, .place = Place::View, .rule = &instance, .is_watched = watch};
    const Value value = checker_.value_in(frame, decl.value);
    if (!checker_.expect_kind(value, Kind::Number, fmt::format("view `{}`", decl.name.text)))
      continue;
    TypedView view;
    view.name = decl.name.text;
    view.stage = instance.label;
    view.doc = decl.doc;
    view.span = decl.name.span;
    view.value_span = span_in(*instance.module, decl.value);
    view.value =
        value.constant ? builder_.constant(Kind::Number, *value.constant, value.span).id : value.id;
    if (condition_.known) view.condition = condition_.id;
    bind_hypers_of(view);
    builder_.rule.views.push_back(std::move(view));
  }
}

}  // namespace talweg::sema
