// Appending nodes, how many operands each kind has; views and initial values as steps.
#include "compiler/ir/graph.h"

#include <algorithm>

#include "compiler/base/check.h"

namespace talweg::ir {

int Node::operand_count() const {
  switch (kind) {
    case NodeKind::Constant:
    case NodeKind::Param:
    case NodeKind::Grad:
    case NodeKind::State:
    case NodeKind::Input:
    case NodeKind::Given:
    case NodeKind::Hyper:
    case NodeKind::StepNumber:
    case NodeKind::CallNumber:
    case NodeKind::Fact:
      return 0;
    case NodeKind::Apply:
      return builtins::info(op).arity;
    case NodeKind::ToArray:
    case NodeKind::IsNormal:
    case NodeKind::Flush:
    case NodeKind::Spread:
      return 1;
    case NodeKind::DivScalar:
      return 2;
    case NodeKind::Reduce:
      return builtins::info(fold).arity + 1;
  }
  TALWEG_UNREACHABLE("a node of an unknown kind");
}

NodeId Graph::add(Node node) {
  const NodeId id(static_cast<std::uint32_t>(nodes.size()));
  nodes.push_back(node);
  return id;
}

bool places_tensors(const Graph& graph) {
  const auto depends = [](const auto& entry) { return entry.present.valid(); };
  return !graph.facts.empty() || !graph.requirements.empty() ||
         std::any_of(graph.states.begin(), graph.states.end(), depends) ||
         std::any_of(graph.inputs.begin(), graph.inputs.end(), depends);
}

bool is_always(const Graph& graph, const Regrad& regrad) {
  const Node& condition = graph[regrad.condition];
  return condition.kind == NodeKind::Constant && condition.value != 0;
}

bool is_of_hypers(const Graph& graph, NodeId root) {
  std::vector<bool> needed(root.index + std::size_t{1});
  needed[root.index] = true;
  for (std::size_t i = needed.size(); i-- > 0;) {
    if (!needed[i]) continue;
    const Node& node = graph.nodes[i];
    const bool is_leaf = node.operand_count() == 0;
    if (is_leaf && node.kind != NodeKind::Constant && node.kind != NodeKind::Hyper) return false;
    if (node.kind == NodeKind::Reduce) return false;
    for (const NodeId operand : node.operands)
      if (operand.valid()) needed[operand.index] = true;
  }
  return true;
}

bool computes_initial(const Graph& graph, const StateInfo& state) {
  if (!state.initial.valid()) return false;
  const Node& node = graph[state.initial];
  return node.type == ValueType::Array ? node.kind != NodeKind::Param
                                       : !is_of_hypers(graph, state.initial);
}

namespace {

/// The tables and nodes of a step that stores nothing yet.
Graph bare_step(const Graph& graph) {
  Graph step = graph;
  for (HyperInfo& hyper : step.hypers) hyper.bound = hyper.unless = {};
  for (StateInfo& state : step.states) state.initial = state.present = state.kept = {};
  for (InputInfo& input : step.inputs) input.present = {};
  step.views.clear();
  step.requirements.clear();
  step.skipped = step.held = {};
  step.regrads.clear();
  step.stores.clear();
  return step;
}

}  // namespace

Graph initial_step(const Graph& graph, std::size_t state) {
  const StateInfo& info = graph.states[state];
  const bool is_element = info.rate == Rate::Element;
  Graph step = bare_step(graph);
  step.stores = {{.target = is_element ? StoreTarget::Param : StoreTarget::State,
                  .index = is_element ? 0 : static_cast<std::uint32_t>(state),
                  .value = info.initial}};
  return step;
}

Graph view_step(const Graph& graph, std::size_t view) {
  Graph step = bare_step(graph);
  step.name = graph.views[view].name;
  step.stores = {{.target = StoreTarget::Param, .index = 0, .value = graph.views[view].value}};
  return step;
}

}  // namespace talweg::ir
