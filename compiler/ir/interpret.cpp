// The interpreter. Every kind of node is computed here in the few lines that define it; operations
// on numbers are those of builtins/evaluate.h.
#include "compiler/ir/interpret.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/base/check.h"
#include "compiler/builtins/evaluate.h"

namespace talweg::ir {

namespace {

using builtins::Op;
using types::ComputeType;

double smallest_normal(ComputeType compute) {
  return compute == ComputeType::F32 ? double{std::numeric_limits<float>::min()}
                                     : std::numeric_limits<double>::min();
}

bool is_normal(ComputeType compute, double value) {
  return std::isfinite(value) && std::fabs(value) >= smallest_normal(compute);
}

template <class T>
double evaluate_numbers(Op op, int arity, const Value* operands) {
  T numbers[3] = {};
  for (int i = 0; i < arity; ++i) numbers[i] = static_cast<T>(operands[i].number);
  return static_cast<double>(builtins::evaluate(op, numbers));
}

Value evaluate_logic(Op op, int arity, const Value* operands) {
  double truths[2] = {};
  for (int i = 0; i < arity; ++i) truths[i] = operands[i].truth ? 1 : 0;
  return {.truth = builtins::evaluate(op, truths) != 0};
}

/// The value of a node that is computed from others.
Value compute_node(const Graph& graph, const Node& node, ComputeType compute,
                   const std::vector<Value>& values) {
  Value operands[3];
  const int count = node.operand_count();
  for (int i = 0; i < count; ++i)
    operands[i] = values[node.operands[static_cast<std::size_t>(i)].index];
  switch (node.kind) {
    case NodeKind::Apply: {
      const NodeId last = node.operands[static_cast<std::size_t>(count - 1)];
      return apply(node.op, graph[last].type, compute, operands);
    }
    case NodeKind::ToArray:
      return {.number = round_to(compute, operands[0].number)};
    case NodeKind::DivScalar:
      return {.number = divide_by_scalar(compute, operands[0].number, operands[1].number)};
    case NodeKind::IsNormal:
      return {.truth = is_normal(compute, operands[0].number)};
    case NodeKind::Flush:
      return {.number = flush(compute, operands[0].number)};
    case NodeKind::Spread:
      return operands[0];
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
    case NodeKind::Reduce:
      break;
  }
  TALWEG_UNREACHABLE("a node that is given, not computed");
}

Value scalar_value(const Graph& graph, const Node& node, ComputeType compute,
                   const ScalarContext& context, const std::vector<Value>& values) {
  switch (node.kind) {
    case NodeKind::Constant:
      if (node.type == ValueType::Bool) return {.truth = node.value != 0};
      return {.number = node.value};
    case NodeKind::State:
      return {.number = context.states[node.index]};
    case NodeKind::Input:
      return {.number = context.inputs[node.index]};
    case NodeKind::Given:
      return {.truth = context.given[node.index]};
    case NodeKind::Hyper:
      if (node.type == ValueType::Bool) return {.truth = context.hypers[node.index] != 0};
      return {.number = context.hypers[node.index]};
    case NodeKind::StepNumber:
      return {.number = context.step_number};
    case NodeKind::CallNumber:
      return {.number = context.call_number};
    case NodeKind::Apply:
    case NodeKind::ToArray:
    case NodeKind::DivScalar:
    case NodeKind::IsNormal:
    case NodeKind::Flush:
    case NodeKind::Spread:
      return compute_node(graph, node, compute, values);
    case NodeKind::Param:
    case NodeKind::Grad:
    case NodeKind::Fact:
    case NodeKind::Reduce:
      break;
  }
  TALWEG_UNREACHABLE("a value per tensor or element among the scalars");
}

Value tensor_value(const Graph& graph, const Node& node, ComputeType compute,
                   const TensorContext& context, const std::vector<Value>& values) {
  switch (node.kind) {
    case NodeKind::Fact:
      if (node.type == ValueType::Bool) return {.truth = context.facts[node.index] != 0};
      return {.number = context.facts[node.index]};
    case NodeKind::State:
      return {.number = context.states[node.index]};
    case NodeKind::Input:
      return {.number = context.inputs[node.index]};
    case NodeKind::Apply:
    case NodeKind::ToArray:
    case NodeKind::DivScalar:
    case NodeKind::IsNormal:
    case NodeKind::Flush:
    case NodeKind::Spread:
      return compute_node(graph, node, compute, values);
    case NodeKind::Constant:
    case NodeKind::Param:
    case NodeKind::Grad:
    case NodeKind::Given:
    case NodeKind::Hyper:
    case NodeKind::StepNumber:
    case NodeKind::CallNumber:
    case NodeKind::Reduce:
      break;
  }
  TALWEG_UNREACHABLE("a value of another rate among those per tensor");
}

/// Behind some regrads; where the step did not wait for one, it is the gradient before.
double gradient(const Graph& graph, std::uint32_t regrads, const ElementContext& context,
                const std::vector<Value>& values) {
  while (regrads > 0 && !values[graph.regrads[regrads - 1].condition.index].truth) --regrads;
  if (regrads == 0) return context.grad;
  return regrads <= context.later_grads.size() ? context.later_grads[regrads - 1] : 0;
}

Value element_value(const Graph& graph, const Node& node, ComputeType compute,
                    const ElementContext& context, const std::vector<Value>& values) {
  switch (node.kind) {
    case NodeKind::Param:
      return {.number = context.param};
    case NodeKind::Grad:
      return {.number = gradient(graph, node.index, context, values)};
    case NodeKind::State:
      return {.number = context.states[node.index]};
    case NodeKind::Input:
      return {.number = context.inputs[node.index]};
    case NodeKind::Apply:
    case NodeKind::ToArray:
    case NodeKind::DivScalar:
    case NodeKind::IsNormal:
    case NodeKind::Flush:
    case NodeKind::Spread:
      return compute_node(graph, node, compute, values);
    case NodeKind::Constant:
    case NodeKind::Given:
    case NodeKind::Hyper:
    case NodeKind::StepNumber:
    case NodeKind::CallNumber:
    case NodeKind::Fact:
    case NodeKind::Reduce:
      break;
  }
  TALWEG_UNREACHABLE("a scalar among the values per element");
}

}  // namespace

Value apply(Op op, ValueType operand_type, ComputeType compute, const Value* operands) {
  const builtins::OpInfo& row = builtins::info(op);
  if (op == Op::Select) return operands[0].truth ? operands[1] : operands[2];
  if (row.signature == builtins::Signature::Logic) return evaluate_logic(op, row.arity, operands);
  const bool in_float32 = operand_type == ValueType::Array && compute == ComputeType::F32;
  const double result = in_float32 ? evaluate_numbers<float>(op, row.arity, operands)
                                   : evaluate_numbers<double>(op, row.arity, operands);
  if (row.signature == builtins::Signature::Numbers) return {.number = result};
  return {.truth = result != 0};
}

double round_to(ComputeType compute, double value) {
  return compute == ComputeType::F32 ? static_cast<double>(static_cast<float>(value)) : value;
}

double flush(ComputeType compute, double value) {
  return std::fabs(value) < smallest_normal(compute) ? std::copysign(0.0, value) : value;
}

double divide_by_scalar(ComputeType compute, double a, double s) {
  const double reciprocal = round_to(compute, 1 / s);
  const bool multiply = is_normal(compute, reciprocal);
  const Value operands[2] = {{.number = a},
                             {.number = multiply ? reciprocal : round_to(compute, s)}};
  return apply(multiply ? Op::Mul : Op::Div, ValueType::Array, compute, operands).number;
}

ScalarContext empty_context(const Graph& graph) {
  ScalarContext context;
  context.hypers.resize(graph.hypers.size());
  context.states.resize(graph.states.size());
  context.inputs.resize(graph.inputs.size());
  context.given.resize(graph.inputs.size());
  context.reduced.resize(static_cast<std::size_t>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(),
                    [](const Node& node) { return node.kind == NodeKind::Reduce; })));
  return context;
}

Machine::Machine(const Graph& graph, ComputeType compute)
    : graph_(graph),
      compute_(compute),
      values_(graph.nodes.size()),
      reduction_(graph.nodes.size()) {
  std::uint32_t reductions = 0;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    const Rate rate = graph.nodes[i].rate;
    if (graph.nodes[i].kind == NodeKind::Reduce) reduction_[i] = reductions++;
    (types::fits(rate, Rate::Group) ? scalar_nodes_
     : rate == Rate::Tensor         ? tensor_nodes_
     : rate == Rate::Matrix         ? matrix_nodes_
     : rate == Rate::Row            ? row_nodes_
     : rate == Rate::Col            ? col_nodes_
                                    : element_nodes_)
        .emplace_back(i);
  }
}

void Machine::run_scalars(const ScalarContext& context) {
  for (const NodeId id : scalar_nodes_) {
    const Node& node = graph_[id];
    values_[id.index] = node.kind == NodeKind::Reduce
                            ? Value{.number = context.reduced[reduction_[id.index]]}
                            : scalar_value(graph_, node, compute_, context, values_);
  }
}

void Machine::run_tensor(const TensorContext& context) {
  for (const NodeId id : tensor_nodes_) {
    const Node& node = graph_[id];
    values_[id.index] = node.kind == NodeKind::Reduce
                            ? Value{.number = context.reduced[reduction_[id.index]]}
                            : tensor_value(graph_, node, compute_, context, values_);
  }
}

void Machine::run_line(Rate rate, const LineContext& context) {
  const auto& nodes = rate == Rate::Matrix ? matrix_nodes_
                      : rate == Rate::Row  ? row_nodes_
                                           : col_nodes_;
  for (const NodeId id : nodes) {
    const Node& node = graph_[id];
    values_[id.index] =
        node.kind == NodeKind::Reduce  ? Value{.number = context.reduced[reduction_[id.index]]}
        : node.kind == NodeKind::State ? Value{.number = context.states[node.index]}
        : node.kind == NodeKind::Input ? Value{.number = context.inputs[node.index]}
                                       : compute_node(graph_, node, compute_, values_);
  }
}

void Machine::run_element(const ElementContext& context) {
  for (const NodeId id : element_nodes_)
    values_[id.index] = element_value(graph_, graph_[id], compute_, context, values_);
}

}  // namespace talweg::ir
