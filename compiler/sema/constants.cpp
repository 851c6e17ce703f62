// Values of constant expressions, in float64, by the definitions the graph uses.
//
// What the graph does to an expression before it is evaluated is done here too: a product inside a
// sum is fused with it, and a whole power is a chain of products (its bits run from left to right).
#include <array>
#include <cmath>

#include "compiler/base/check.h"
#include "compiler/builtins/evaluate.h"
#include "compiler/sema/rule_builder.h"

namespace talweg::sema {

namespace {

using builtins::Op;

const ApplyNode* product(const RuleBuilder& builder, TypedExprId id) {
  const auto* apply = std::get_if<ApplyNode>(&builder.rule[id].node);
  return apply && apply->op == Op::Mul ? apply : nullptr;
}

/// x + y, or x - y. A product on the right is fused, else one on the left; a difference of two
/// products is not.
double fold_sum(const RuleBuilder& builder, Op op, TypedExprId left, TypedExprId right) {
  const double x = builder.constant_of(left);
  const double y = builder.constant_of(right);
  const ApplyNode* of_left = product(builder, left);
  const ApplyNode* of_right = product(builder, right);
  const double sign = op == Op::Sub ? -1.0 : 1.0;
  if (of_right && !(of_left && op == Op::Sub))
    return std::fma(sign * builder.constant_of(of_right->operands[0]),
                    builder.constant_of(of_right->operands[1]), x);
  if (of_left && !of_right)
    return std::fma(builder.constant_of(of_left->operands[0]),
                    builder.constant_of(of_left->operands[1]), sign * y);
  return x + sign * y;
}

double whole_power(double base, unsigned exponent) {
  double result = 1;
  for (int bit = 31; bit >= 0; --bit) {
    result *= result;
    if ((exponent >> static_cast<unsigned>(bit)) & 1u) result *= base;
  }
  return result;
}

double fold_power(double base, double exponent) {
  constexpr double kLargestWholeExponent = 64;
  if (exponent == 0.5) return std::sqrt(base);
  if (exponent == std::trunc(exponent) && std::fabs(exponent) <= kLargestWholeExponent) {
    const double power = whole_power(base, static_cast<unsigned>(std::fabs(exponent)));
    return exponent < 0 ? 1 / power : power;
  }
  const std::array<double, 2> operands = {base, exponent};
  return builtins::evaluate(Op::Pow, operands.data());
}

}  // namespace

double fold(const RuleBuilder& builder, Op op, const std::vector<TypedExprId>& operands) {
  if (op == Op::Add || op == Op::Sub) return fold_sum(builder, op, operands[0], operands[1]);
  std::array<double, 3> values{};
  TALWEG_CHECK(operands.size() <= values.size(), "an operation with more than three operands");
  for (std::size_t i = 0; i < operands.size(); ++i) values[i] = builder.constant_of(operands[i]);
  if (op == Op::Pow) return fold_power(values[0], values[1]);
  return builtins::evaluate(op, values.data());
}

}  // namespace talweg::sema
