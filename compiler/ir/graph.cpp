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
      return 1;
    case NodeKind::DivScalar:
      return 2;
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
  return !graph.facts.empty() || std::any_of(graph.states.begin(), graph.states.end(), depends) ||
         std::any_of(graph.inputs.begin(), graph.inputs.end(), depends);
}

Graph view_step(const Graph& graph, std::size_t view) {
  Graph step = graph;
  for (HyperInfo& hyper : step.hypers) hyper.bound = hyper.unless = {};
  for (StateInfo& state : step.states) state.initial = state.present = state.kept = {};
  for (InputInfo& input : step.inputs) input.present = {};
  step.views.clear();
  step.skipped = step.held = {};
  step.stores = {{.target = StoreTarget::Param, .index = 0, .value = graph.views[view].value}};
  return step;
}

}  // namespace talweg::ir
