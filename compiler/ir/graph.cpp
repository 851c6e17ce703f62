// Appending nodes, how many operands each kind has, and views as steps.
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

bool computes_initial_elements(const Graph& graph, const StateInfo& state) {
  return state.initial.valid() && graph[state.initial].type == ValueType::Array &&
         graph[state.initial].kind != NodeKind::Param;
}

Graph initial_step(const Graph& graph, std::size_t state) {
  const NodeId root = graph.states[state].initial;
  std::vector<bool> needed(root.index + std::size_t{1});
  needed[root.index] = true;
  for (std::size_t i = needed.size(); i-- > 0;)
    if (needed[i])
      for (const NodeId operand : graph.nodes[i].operands)
        if (operand.valid()) needed[operand.index] = true;

  Graph step;
  step.name = graph.name;
  step.hypers = graph.hypers;
  for (HyperInfo& hyper : step.hypers) hyper.bound = hyper.unless = {};
  std::vector<NodeId> copies(needed.size());
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    Node node = graph.nodes[i];
    for (NodeId& operand : node.operands)
      if (operand.valid()) operand = copies[operand.index];
    copies[i] = step.add(node);
  }
  step.stores = {{.target = StoreTarget::Param, .index = 0, .value = copies[root.index]}};
  return step;
}

Graph view_step(const Graph& graph, std::size_t view) {
  Graph step = graph;
  step.name = graph.views[view].name;
  for (HyperInfo& hyper : step.hypers) hyper.bound = hyper.unless = {};
  for (StateInfo& state : step.states) state.initial = state.present = state.kept = {};
  for (InputInfo& input : step.inputs) input.present = {};
  step.views.clear();
  step.requirements.clear();
  step.skipped = step.held = {};
  step.regrads.clear();
  step.stores = {{.target = StoreTarget::Param, .index = 0, .value = graph.views[view].value}};
  return step;
}

}  // namespace talweg::ir
