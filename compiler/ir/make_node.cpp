#include "compiler/ir/make_node.h"

#include <algorithm>

#include "compiler/base/check.h"

namespace talweg::ir {

namespace {

ValueType array_if(Rate rate) {
  return types::is_array(rate) ? ValueType::Array : ValueType::Scalar;
}

ValueType type_of_apply(const Graph& graph, const Node& node) {
  switch (builtins::info(node.op).signature) {
    case builtins::Signature::Numbers:
      return graph[node.operands[0]].type;
    case builtins::Signature::Comparison:
    case builtins::Signature::Predicate:
    case builtins::Signature::Logic:
      return ValueType::Bool;
    case builtins::Signature::Choice:
      return graph[node.operands[1]].type;
  }
  TALWEG_UNREACHABLE("an operation of an unknown signature");
}

Node with_operands(const Graph& graph, Node node, std::initializer_list<NodeId> operands) {
  std::copy(operands.begin(), operands.end(), node.operands.begin());
  node.type = type_of(graph, node);
  node.rate = rate_of(graph, node);
  return node;
}

}  // namespace

ValueType type_of(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case NodeKind::Constant:
      return node.type == ValueType::Bool ? ValueType::Bool : ValueType::Scalar;
    case NodeKind::Param:
    case NodeKind::Grad:
    case NodeKind::ToArray:
    case NodeKind::DivScalar:
    case NodeKind::Flush:
      return ValueType::Array;
    case NodeKind::State:
      return array_if(graph.states[node.index].rate);
    case NodeKind::Input:
      return array_if(graph.inputs[node.index].rate);
    case NodeKind::Given:
    case NodeKind::IsNormal:
      return ValueType::Bool;
    case NodeKind::Hyper: {
      const HyperInfo& hyper = graph.hypers[node.index];
      return hyper.kind == HyperInfo::Kind::Bool && !hyper.follows ? ValueType::Bool
                                                                   : ValueType::Scalar;
    }
    case NodeKind::StepNumber:
    case NodeKind::CallNumber:
      return ValueType::Scalar;
    case NodeKind::Fact:
      return types::is_truth(graph.facts[node.index].kind) ? ValueType::Bool : ValueType::Scalar;
    case NodeKind::Spread:
      return graph[node.operands[0]].type;
    case NodeKind::Apply:
      return type_of_apply(graph, node);
    case NodeKind::Reduce:
      return ValueType::Scalar;
  }
  TALWEG_UNREACHABLE("a node of an unknown kind");
}

Rate rate_of(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case NodeKind::Constant:
      return Rate::Const;
    case NodeKind::Param:
    case NodeKind::Grad:
    case NodeKind::Spread:
      return Rate::Element;
    case NodeKind::State:
      return graph.states[node.index].rate;
    case NodeKind::Input:
      return graph.inputs[node.index].rate;
    case NodeKind::Given:
    case NodeKind::StepNumber:
    case NodeKind::CallNumber:
      return Rate::Model;
    case NodeKind::Hyper:
      return graph.hypers[node.index].rate;
    case NodeKind::Fact:
      return Rate::Tensor;
    case NodeKind::Reduce:
      return node.rate;
    case NodeKind::Apply:
    case NodeKind::ToArray:
    case NodeKind::DivScalar:
    case NodeKind::IsNormal:
    case NodeKind::Flush:
      break;
  }
  Rate rate = Rate::Const;
  for (int i = 0; i < node.operand_count(); ++i)
    rate = types::join(rate, graph[node.operands[i]].rate);
  return rate;
}

Node make_constant(double value) { return Node{.value = value}; }

Node make_truth(bool value) { return Node{.type = ValueType::Bool, .value = value ? 1.0 : 0.0}; }

Node make_leaf(NodeKind kind) {
  const bool is_array = kind == NodeKind::Param || kind == NodeKind::Grad;
  return Node{.kind = kind,
              .type = is_array ? ValueType::Array : ValueType::Scalar,
              .rate = is_array ? Rate::Element : Rate::Model};
}

Node make_leaf(const Graph& graph, NodeKind kind, std::uint32_t index) {
  return with_operands(graph, Node{.kind = kind, .index = index}, {});
}

Node make_apply(const Graph& graph, builtins::Op op, std::initializer_list<NodeId> operands) {
  return with_operands(graph, Node{.kind = NodeKind::Apply, .op = op}, operands);
}

Node make_conversion(const Graph& graph, NodeKind kind, std::initializer_list<NodeId> operands) {
  return with_operands(graph, Node{.kind = kind}, operands);
}

Node make_reduce(const Graph& graph, builtins::Fold fold, Rate over, Rate rate,
                 std::initializer_list<NodeId> operands) {
  return with_operands(
      graph, Node{.kind = NodeKind::Reduce, .fold = fold, .over = over, .rate = rate}, operands);
}

}  // namespace talweg::ir
