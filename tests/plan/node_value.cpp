#include "tests/plan/node_value.h"

namespace talweg::tests {

using ir::Node, ir::NodeKind, ir::Rate, ir::Value;

namespace {

const std::vector<double>& states_of(Rate rate, const ir::ScalarContext& scalars,
                                     const TensorCase& tensor, std::size_t line) {
  if (rate == Rate::Matrix) return tensor.matrix_states[line];
  if (rate == Rate::Row) return tensor.row_states[line];
  if (rate == Rate::Col) return tensor.col_states[line];
  return rate == Rate::Tensor ? tensor.states : scalars.states;
}

const std::vector<double>& inputs_of(Rate rate, const ir::ScalarContext& scalars,
                                     const TensorCase& tensor, std::size_t line) {
  if (rate == Rate::Matrix) return tensor.matrix_inputs[line];
  if (rate == Rate::Row) return tensor.row_inputs[line];
  if (rate == Rate::Col) return tensor.col_inputs[line];
  return rate == Rate::Tensor ? tensor.inputs : scalars.inputs;
}

}  // namespace

std::optional<Value> node_value(const ir::Graph& graph, types::ComputeType compute, ir::NodeId id,
                                const Value* operands, ir::ValueType last_type,
                                const ir::ScalarContext& scalars, const TensorCase& tensor,
                                std::size_t line) {
  const Node& node = graph[id];
  switch (node.kind) {
    case NodeKind::Constant:
      return Value{.number = node.type == ir::ValueType::Bool ? 0 : node.value,
                   .truth = node.type == ir::ValueType::Bool && node.value != 0};
    case NodeKind::State:
      return Value{.number = states_of(node.rate, scalars, tensor, line)[node.index]};
    case NodeKind::Input:
      return Value{.number = inputs_of(node.rate, scalars, tensor, line)[node.index]};
    case NodeKind::Given:
      return Value{.truth = scalars.given[node.index]};
    case NodeKind::Hyper:
      return node.type == ir::ValueType::Bool ? Value{.truth = scalars.hypers[node.index] != 0}
                                              : Value{.number = scalars.hypers[node.index]};
    case NodeKind::StepNumber:
      return Value{.number = scalars.step_number};
    case NodeKind::CallNumber:
      return Value{.number = scalars.call_number};
    case NodeKind::Fact:
      return types::is_truth(graph.facts[node.index].kind)
                 ? Value{.truth = tensor.facts[node.index] != 0}
                 : Value{.number = tensor.facts[node.index]};
    case NodeKind::Apply:
      return ir::apply(node.op, last_type, compute, operands);
    case NodeKind::ToArray:
      return Value{.number = ir::round_to(compute, operands[0].number)};
    case NodeKind::DivScalar:
      return Value{.number = ir::divide_by_scalar(compute, operands[0].number, operands[1].number)};
    case NodeKind::IsNormal: {
      const double value = operands[0].number;
      return Value{.truth = value != 0 && value - value == 0 && ir::flush(compute, value) != 0};
    }
    case NodeKind::Flush:
      return Value{.number = ir::flush(compute, operands[0].number)};
    case NodeKind::Spread:
      return operands[0];
    case NodeKind::Param:
    case NodeKind::Grad:
    case NodeKind::Reduce:
      break;
  }
  return std::nullopt;
}

}  // namespace talweg::tests
