// The whole of a step: tables, stages in order, the subtraction of `update`, `after` blocks,
// stores; and views.
#include "compiler/ir/build_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "compiler/base/check.h"
#include "compiler/ir/build/presence.h"
#include "compiler/ir/build/walk.h"
#include "compiler/ir/make_node.h"
#include "compiler/ir/verify.h"

namespace talweg::ir {

using sema::Symbol;
using sema::SymbolKind;

namespace {

HyperInfo::Kind kind_of(sema::HyperKind kind) {
  switch (kind) {
    case sema::HyperKind::Number:
      return HyperInfo::Kind::Number;
    case sema::HyperKind::Int:
      return HyperInfo::Kind::Int;
    case sema::HyperKind::Bool:
      return HyperInfo::Kind::Bool;
  }
  TALWEG_UNREACHABLE("a hyper of an unknown kind");
}

/// Fills the tables; gives the place of each hyper in them. Const hypers have none: they are
/// compiled in.
std::vector<std::uint32_t> fill_tables(const sema::TypedRule& rule, Graph& graph) {
  std::vector<std::uint32_t> hyper_index;
  for (const sema::TypedHyper& hyper : rule.hypers) {
    hyper_index.push_back(static_cast<std::uint32_t>(graph.hypers.size()));
    if (hyper.rate == Rate::Const) continue;
    graph.hypers.push_back({.name = hyper.public_name,
                            .kind = kind_of(hyper.kind),
                            .rate = hyper.rate,
                            .default_value = hyper.default_value,
                            .range = hyper.range,
                            .bound = {},
                            .follows = hyper.follows,
                            .unless = {},
                            .doc = hyper.doc});
  }
  for (const sema::TypedState& state : rule.states)
    graph.states.push_back({.name = state.public_name,
                            .rate = state.rate,
                            .initial = {},
                            .kept = {},
                            .doc = state.doc});
  for (const sema::TypedInput& input : rule.inputs)
    graph.inputs.push_back({.name = input.public_name, .rate = input.rate, .doc = input.doc});
  graph.facts = rule.facts;
  graph.split = rule.split;
  return hyper_index;
}

/// What a binding gives its hyper.
NodeId bound_value(const sema::TypedRule& rule, const sema::TypedBinding& binding, Walker& walker) {
  const NodeId value = walker.standalone_value(binding.value);
  return rule.hypers[binding.hyper].follows ? walker.unless_set(binding.hyper, value) : value;
}

void walk_stages(const sema::TypedRule& rule, const std::vector<std::uint32_t>& hyper_index,
                 Graph& graph, Walker& walker) {
  for (const sema::TypedStage& stage : rule.stages) {
    const NodeId exited = stage.bindings.empty() ? NodeId() : walker.exited();
    for (const sema::TypedBinding& binding : stage.bindings) {
      const NodeId value = bound_value(rule, binding, walker);
      walker.bind(binding.hyper, value);
      graph.hypers[hyper_index[binding.hyper]].bound = value;
      graph.hypers[hyper_index[binding.hyper]].unless = exited;
    }
    walker.stage_statements(stage.step, stage.condition);
  }
  if (rule.subtracts_update) walker.subtract_update();
  for (const sema::TypedStage& stage : rule.stages)
    walker.stage_statements(stage.after, stage.condition);
}

void add_stores(Graph& graph, Walker& walker) {
  const auto add = [&](StoreTarget target, std::uint32_t index, Symbol symbol) {
    const NodeId value = walker.stored(symbol);
    if (value.valid()) graph.stores.push_back({.target = target, .index = index, .value = value});
  };
  add(StoreTarget::Param, 0, {SymbolKind::Param, 0});
  for (std::uint32_t i = 0; i < graph.states.size(); ++i)
    add(StoreTarget::State, i, {SymbolKind::State, i});
  graph.skipped = walker.skipped();
  graph.held = walker.held();
  for (std::uint32_t i = 0; i < graph.states.size(); ++i) graph.states[i].kept = walker.kept(i);
}

/// Initial values see hypers, and `param` as the call found it: `walker` has assigned nothing.
void add_initial_values(const sema::TypedRule& rule, const std::vector<std::uint32_t>& hyper_index,
                        Graph& graph, Walker& walker, base::Diagnostics& diagnostics) {
  for (std::uint32_t i = 0; i < rule.hypers.size(); ++i)
    if (rule.hypers[i].bound || rule.hypers[i].follows)
      walker.bind(i, graph.hypers[hyper_index[i]].bound);
  for (std::uint32_t i = 0; i < rule.states.size(); ++i) {
    if (!rule.states[i].initial) continue;
    const NodeId initial = walker.initial_value(rule.states[i]);
    graph.states[i].initial = initial;
    if (walker.overflowed() || is_known_before_step(graph, initial)) continue;
    diagnostics.report(base::DiagnosticKind::InitialOfStep, walker.span())
        .help(
            "the pipeline binds a hyper of this value; give the initial value a hyper of its own");
  }
}

/// Which tensors keep a state, and may read an input: those that run a stage that declares it.
void add_presence(const sema::TypedRule& rule, Graph& graph, Walker& walker) {
  const auto truth = [&](const std::optional<sema::TypedExprId>& condition) {
    return condition ? walker.standalone_value(*condition) : NodeId();
  };
  for (std::uint32_t i = 0; i < rule.states.size(); ++i)
    graph.states[i].present = truth(rule.states[i].condition);
  for (std::uint32_t i = 0; i < rule.inputs.size(); ++i) {
    NodeId& present = graph.inputs[i].present;
    for (const auto& condition : rule.inputs[i].conditions) {
      const NodeId one = truth(condition);
      const bool is_first = &condition == &rule.inputs[i].conditions.front();
      if (!is_first && !present.valid()) break;  // present everywhere already
      present = is_first || !one.valid()
                    ? one
                    : graph.add(make_apply(graph, builtins::Op::Or, {present, one}));
    }
  }
}

/// What each stage requires of the tensors that run it.
void add_requirements(const sema::TypedRule& rule, Graph& graph, Walker& walker) {
  for (const sema::TypedRequirement& requirement : rule.requirements) {
    NodeId condition = walker.standalone_value(requirement.condition);
    if (requirement.stage_condition) {
      const NodeId runs = walker.standalone_value(*requirement.stage_condition);
      const NodeId other = graph.add(make_apply(graph, builtins::Op::Not, {runs}));
      condition = graph.add(make_apply(graph, builtins::Op::Or, {other, condition}));
    }
    graph.requirements.push_back(
        {fmt::format("rule `{}` requires {}", requirement.rule, requirement.text), condition});
  }
}

/// True, with a diagnostic, if the rule is too large for a graph.
bool overflows(const Walker& walker, base::Diagnostics& diagnostics) {
  if (!walker.overflowed()) return false;
  diagnostics.report(
      base::DiagnosticKind::GraphTooLarge, walker.span(),
      walker.too_deep()
          ? fmt::format("its expressions nest more than {} deep", Walker::kMaxDepth)
          : fmt::format("it takes more than {} operations a step", Arithmetic::kMaxNodes));
  return true;
}

/// A view sees what the last step left; `t` counts the steps done. False if it is too large.
bool add_view(const sema::TypedRule& rule, const std::vector<std::uint32_t>& hyper_index,
              const sema::TypedView& view, Graph& graph, base::Diagnostics& diagnostics) {
  Walker walker(rule, graph, hyper_index);
  for (const sema::TypedBinding& binding : view.bindings)
    walker.bind(binding.hyper, bound_value(rule, binding, walker));
  const NodeId value = walker.view_value(view.value, view.condition);
  graph.views.push_back({.name = view.public_name, .value = value, .doc = view.doc});
  return !overflows(walker, diagnostics);
}

/// Removes states that nothing reads and nothing assigns: what is left of code that a `hyper const`
/// turned off.
void drop_untouched_states(Graph& graph) {
  std::vector<bool> touched(graph.states.size());
  for (const Node& node : graph.nodes)
    if (node.kind == NodeKind::State) touched[node.index] = true;
  for (const Store& store : graph.stores)
    if (store.target == StoreTarget::State) touched[store.index] = true;

  std::vector<std::uint32_t> new_index(graph.states.size());
  std::vector<StateInfo> kept;
  for (std::uint32_t i = 0; i < graph.states.size(); ++i) {
    new_index[i] = static_cast<std::uint32_t>(kept.size());
    if (touched[i]) kept.push_back(graph.states[i]);
  }
  graph.states = std::move(kept);
  for (Node& node : graph.nodes)
    if (node.kind == NodeKind::State) node.index = new_index[node.index];
  for (Store& store : graph.stores)
    if (store.target == StoreTarget::State) store.index = new_index[store.index];
}

/// Of a pipeline also what its stages say of themselves, in their order; who reads what is built of
/// it (the header of a library) sees no rules.
std::string documentation(const sema::TypedRule& rule) {
  const auto is_alone = [&] { return rule.stages.size() == 1 && rule.stages[0].doc == rule.doc; };
  const auto has_doc = [](const sema::TypedStage& stage) { return !stage.doc.empty(); };
  if (is_alone() || std::ranges::none_of(rule.stages, has_doc)) return rule.doc;
  std::string text = rule.doc;
  for (std::size_t i = 0; i < rule.stages.size(); ++i) {
    const sema::TypedStage& stage = rule.stages[i];
    text += fmt::format("{}Stage {}, {}{}{}", text.empty() ? "" : "\n\n", i + 1, stage.rule,
                        stage.condition ? ", for some tensors" : "",
                        stage.doc.empty() ? "." : ":\n\n" + stage.doc);
  }
  return text;
}

}  // namespace

Graph build_graph(const sema::TypedRule& rule, base::Diagnostics& diagnostics) {
  Graph graph;
  graph.name = rule.name;
  graph.doc = documentation(rule);
  const std::vector<std::uint32_t> hyper_index = fill_tables(rule, graph);
  Walker walker(rule, graph, hyper_index);
  walk_stages(rule, hyper_index, graph, walker);
  if (!walker.overflowed()) add_stores(graph, walker);
  if (overflows(walker, diagnostics)) return {};
  add_presence(rule, graph, walker);
  add_requirements(rule, graph, walker);
  Walker initial_walker(rule, graph, hyper_index);
  const int errors_before = diagnostics.error_count();
  add_initial_values(rule, hyper_index, graph, initial_walker, diagnostics);
  if (overflows(initial_walker, diagnostics) || diagnostics.error_count() > errors_before)
    return {};
  for (const sema::TypedView& view : rule.views)
    if (!add_view(rule, hyper_index, view, graph, diagnostics)) return {};
  drop_untouched_states(graph);
  if (!graph.facts.empty()) narrow_presence(graph);
  verify(graph, "build-graph");
  return graph;
}

}  // namespace talweg::ir
