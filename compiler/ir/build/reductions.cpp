// What the reductions of the language are made of: folds, and arithmetic on their results in
// float64. A result per row or column is rounded last.
#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/ir/build/walk.h"
#include "compiler/ir/make_node.h"

namespace talweg::ir {

using builtins::Fold;
using builtins::Op;
using builtins::Reduction;

/// A fact of the tensor that the graph's table may not have yet.
NodeId Walker::fact(types::FactKind kind) {
  const types::Fact wanted{.kind = kind, .text = {}};
  auto place = std::ranges::find(graph_.facts, wanted);
  if (place == graph_.facts.end()) place = graph_.facts.insert(graph_.facts.end(), wanted);
  return arithmetic_.add(
      make_leaf(graph_, NodeKind::Fact, static_cast<std::uint32_t>(place - graph_.facts.begin())));
}

/// How many values of rate `over` one matrix, row or column has, or (for slower targets) one
/// tensor: shapes say it.
NodeId Walker::count_in_shape(Rate over, Rate rate) {
  const auto times = [&](NodeId a, NodeId b) {
    return arithmetic_.add(make_apply(graph_, Op::Mul, {a, b}));
  };
  if (rate == Rate::Row) return fact(types::FactKind::Cols);
  if (rate == Rate::Col) return fact(types::FactKind::Rows);
  NodeId count = arithmetic_.constant(1);
  if (over == Rate::Row || over == Rate::Element) count = fact(types::FactKind::Rows);
  if (over == Rate::Col) count = fact(types::FactKind::Cols);
  if (over == Rate::Element) count = times(count, fact(types::FactKind::Cols));
  return rate == Rate::Matrix ? count : times(count, fact(types::FactKind::Matrices));
}

/// How many values a reduction folds.
NodeId Walker::count(Rate over, Rate rate, NodeId domain) {
  const bool in_tensor = over == Rate::Element || types::fits(over, Rate::Tensor);
  if (in_tensor && types::fits(rate, Rate::Tensor))
    return arithmetic_.add(make_reduce(graph_, Fold::Count, over, rate, {domain}));
  if (!types::fits(rate, Rate::Group)) return count_in_shape(over, rate);
  const NodeId of_tensor = count_in_shape(over, Rate::Tensor);
  return arithmetic_.add(make_reduce(graph_, Fold::Sum, Rate::Tensor, rate, {of_tensor, domain}));
}

NodeId Walker::reduce(const sema::ReduceNode& node, Rate rate) {
  std::vector<NodeId> operands;
  for (const sema::TypedExprId id : node.operands) {
    NodeId operand = value(id);
    if (builtins::info(node.function).takes_truths)
      operand = arithmetic_.select(operand, arithmetic_.constant(1), arithmetic_.constant(0));
    operands.push_back(types::is_array(node.over) ? arithmetic_.to_array(operand) : operand);
  }
  // Of a tensor's own too: others have no memory for the states of this arm.
  const NodeId domain = tensors_.valid() ? tensors_ : arithmetic_.add(make_truth(true));
  const auto fold = [&](Fold kind, std::initializer_list<NodeId> folded) {
    return arithmetic_.add(make_reduce(graph_, kind, node.over, rate, folded));
  };
  const auto apply = [&](Op op, std::initializer_list<NodeId> numbers) {
    return arithmetic_.add(make_apply(graph_, op, numbers));
  };
  const auto rounded = [&](NodeId result) {
    return types::is_array(rate) ? arithmetic_.to_array(result) : result;
  };
  switch (node.function) {
    case Reduction::Sum:
    case Reduction::Count:
      return rounded(fold(Fold::Sum, {operands[0], domain}));
    case Reduction::Mean: {
      const NodeId divisor =
          apply(Op::Max, {count(node.over, rate, domain), arithmetic_.constant(1)});
      return rounded(apply(Op::Div, {fold(Fold::Sum, {operands[0], domain}), divisor}));
    }
    case Reduction::Min:
      return rounded(fold(Fold::Min, {operands[0], domain}));
    case Reduction::Max:
      return rounded(fold(Fold::Max, {operands[0], domain}));
    case Reduction::Any:
      return apply(Op::Gt, {fold(Fold::Max, {operands[0], domain}), arithmetic_.constant(0)});
    case Reduction::All:
      return apply(Op::Gt, {fold(Fold::Min, {operands[0], domain}), arithmetic_.constant(0)});
    case Reduction::Norm:
      return rounded(apply(Op::Sqrt, {fold(Fold::Dot, {operands[0], operands[0], domain})}));
    case Reduction::Dot:
      return rounded(fold(Fold::Dot, {operands[0], operands[1], domain}));
  }
  TALWEG_UNREACHABLE("a reduction outside the enumeration");
}

}  // namespace talweg::ir
