// Appending nodes, and how many operands each kind has.
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

}  // namespace talweg::ir
