#include "compiler/ir/build/arithmetic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "compiler/base/check.h"
#include "compiler/builtins/evaluate.h"
#include "compiler/ir/make_node.h"

namespace talweg::ir {

using builtins::Op;

namespace {

/// Constant integer exponents up to this size are products; others are pow.
constexpr double kMaxIntegerExponent = 64;

bool gives_truth(Op op, ValueType operand_type) {
  switch (builtins::info(op).signature) {
    case builtins::Signature::Numbers:
      return false;
    case builtins::Signature::Comparison:
    case builtins::Signature::Predicate:
    case builtins::Signature::Logic:
      return true;
    case builtins::Signature::Choice:
      return operand_type == ValueType::Bool;
  }
  TALWEG_UNREACHABLE("an operation of an unknown signature");
}

}  // namespace

NodeId Arithmetic::add(const Node& node) {
  if (graph_.nodes.size() < kMaxNodes) return graph_.add(node);
  full_ = true;
  return NodeId(static_cast<std::uint32_t>(graph_.nodes.size() - 1));
}

NodeId Arithmetic::constant(double value) { return add(make_constant(value)); }

NodeId Arithmetic::to_array(NodeId id) {
  if (is_array(id)) return id;
  return add(make_conversion(graph_, NodeKind::ToArray, {id}));
}

NodeId Arithmetic::flush(NodeId id) {
  return add(make_conversion(graph_, NodeKind::Flush, {to_array(id)}));
}

bool Arithmetic::is_array(const Term& term) const {
  return term.is_product() ? is_array(term.left) || is_array(term.right) : is_array(term.node);
}

NodeId Arithmetic::value(const Term& term) {
  return term.is_product() ? multiply(term.left, term.right) : term.node;
}

/// Appends `op`: among numbers, one Array makes all operands Arrays; constants are folded.
NodeId Arithmetic::emit(Op op, std::span<const NodeId> operands) {
  const auto is_constant = [&](NodeId id) { return graph_[id].kind == NodeKind::Constant; };
  const std::size_t first_of_result = op == Op::Select ? 1 : 0;
  if (std::all_of(operands.begin(), operands.end(), is_constant)) {
    std::array<double, 3> values{};
    std::transform(operands.begin(), operands.end(), values.begin(),
                   [&](NodeId id) { return graph_[id].value; });
    const double result = builtins::evaluate(op, values.data());
    const bool truth = gives_truth(op, graph_[operands[first_of_result]].type);
    return add(truth ? make_truth(result != 0) : make_constant(result));
  }
  std::array<NodeId, 3> converted{};
  std::copy(operands.begin(), operands.end(), converted.begin());
  const auto numbers =
      std::span(converted).subspan(first_of_result, operands.size() - first_of_result);
  if (std::any_of(numbers.begin(), numbers.end(), [&](NodeId id) { return is_array(id); }))
    for (NodeId& id : numbers) id = to_array(id);
  switch (operands.size()) {
    case 1:
      return add(make_apply(graph_, op, {converted[0]}));
    case 2:
      return add(make_apply(graph_, op, {converted[0], converted[1]}));
    default:
      return add(make_apply(graph_, op, {converted[0], converted[1], converted[2]}));
  }
}

NodeId Arithmetic::multiply(NodeId left, NodeId right) {
  return emit(Op::Mul, std::array{left, right});
}

NodeId Arithmetic::divide(NodeId left, NodeId right) {
  if (is_array(left) && !is_array(right))
    return add(make_conversion(graph_, NodeKind::DivScalar, {left, right}));
  return emit(Op::Div, std::array{left, right});
}

/// Binary powering from the exponent's highest bit down.
NodeId Arithmetic::integer_power(NodeId base, int exponent) {
  if (exponent == 0) return constant(1);
  const int magnitude = std::abs(exponent);
  int bit = 1;
  while (bit * 2 <= magnitude) bit *= 2;
  NodeId result = base;
  for (bit /= 2; bit > 0; bit /= 2) {
    result = multiply(result, result);
    if ((magnitude & bit) != 0) result = multiply(result, base);
  }
  return exponent < 0 ? divide(constant(1), result) : result;
}

NodeId Arithmetic::power(NodeId base, NodeId exponent) {
  if (graph_[exponent].kind == NodeKind::Constant) {
    const double value = graph_[exponent].value;
    if (value == 0.5) return emit(Op::Sqrt, std::array{base});
    if (std::fabs(value) <= kMaxIntegerExponent && value == std::trunc(value))
      return integer_power(base, static_cast<int>(value));
  }
  return emit(Op::Pow, std::array{base, exponent});
}

/// fma(a, b, c), where the product, the addend or neither is negated. Negation is exact.
NodeId Arithmetic::fuse(const Term& product, bool negate_product, NodeId addend,
                        bool negate_addend) {
  NodeId left = product.left;
  NodeId right = product.right;
  // Rounding comes before the negation so that a Scalar becomes an operand in one place only.
  if (is_array(product)) {
    left = to_array(left);
    right = to_array(right);
    addend = to_array(addend);
  }
  if (negate_product) left = emit(Op::Neg, std::array{left});
  if (negate_addend) addend = emit(Op::Neg, std::array{addend});
  return emit(Op::Fma, std::array{left, right, addend});
}

/// A product on the right fuses, else one on the left; of `a*b - c*d` neither. A Scalar product in
/// an Array sum is no product here: it is rounded once, as an operand.
NodeId Arithmetic::sum(const Term& left, const Term& right, bool subtract) {
  const bool array_sum = is_array(left) || is_array(right);
  const auto fuses = [&](const Term& term) {
    return term.is_product() && is_array(term) == array_sum;
  };
  const bool both = fuses(left) && fuses(right);
  if (fuses(right) && !(both && subtract)) return fuse(right, subtract, value(left), false);
  if (fuses(left) && !both) return fuse(left, false, value(right), subtract);
  const NodeId left_value = value(left);
  return emit(subtract ? Op::Sub : Op::Add, std::array{left_value, value(right)});
}

NodeId Arithmetic::select(NodeId condition, NodeId then_value, NodeId else_value) {
  if (graph_[condition].kind == NodeKind::Constant)
    return graph_[condition].value != 0 ? then_value : else_value;
  const bool numbers = graph_[then_value].type != ValueType::Bool;
  if (numbers && types::is_array(graph_[condition].rate)) {
    then_value = to_array(then_value);
    else_value = to_array(else_value);
  }
  return emit(Op::Select, std::array{condition, then_value, else_value});
}

NodeId Arithmetic::choose(NodeId condition, NodeId then_value, NodeId else_value, Rate place) {
  const auto is_of_matrices = [&](NodeId id) { return types::is_of_matrices(graph_[id].rate); };
  if (place != Rate::Element || (!is_of_matrices(then_value) && !is_of_matrices(else_value)))
    return select(condition, then_value, else_value);
  return select(condition, spread(then_value), spread(else_value));
}

/// As an Array or Bool that is no value per matrix, row or column.
NodeId Arithmetic::spread(NodeId id) {
  const NodeId value = graph_[id].type == ValueType::Bool ? id : to_array(id);
  if (!types::is_of_matrices(graph_[value].rate)) return value;
  return add(make_conversion(graph_, NodeKind::Spread, {value}));
}

Term Arithmetic::apply(Op op, std::span<const Term> operands) {
  if (op == Op::Mul) {
    const NodeId left = value(operands[0]);
    return {.node = {}, .left = left, .right = value(operands[1])};
  }
  if (op == Op::Add || op == Op::Sub)
    return {.node = sum(operands[0], operands[1], op == Op::Sub), .left = {}, .right = {}};
  std::array<NodeId, 3> values{};
  std::transform(operands.begin(), operands.end(), values.begin(),
                 [&](const Term& term) { return value(term); });
  NodeId result;
  if (op == Op::Div) {
    result = divide(values[0], values[1]);
  } else if (op == Op::Pow) {
    result = power(values[0], values[1]);
  } else if (op == Op::Select) {
    result = select(values[0], values[1], values[2]);
  } else {
    result = emit(op, std::span(values).first(operands.size()));
  }
  return {.node = result, .left = {}, .right = {}};
}

}  // namespace talweg::ir
