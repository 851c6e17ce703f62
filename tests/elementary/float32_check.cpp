#include "tests/elementary/float32_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/base/check.h"
#include "compiler/builtins/evaluate.h"
#include "tests/elementary/exact.h"

namespace talweg::builtins::tests {

namespace {

double reference(Op op, double x, double y) {
  switch (op) {
    case Op::Rsqrt:
      return 1 / std::sqrt(x);
    case Op::Exp:
      return std::exp(x);
    case Op::Expm1:
      return std::expm1(x);
    case Op::Log:
      return std::log(x);
    case Op::Log1p:
      return std::log1p(x);
    case Op::Log2:
      return std::log2(x);
    case Op::Pow:
      return std::pow(x, y);
    case Op::Sin:
      return std::sin(x);
    case Op::Cos:
      return std::cos(x);
    case Op::Tan:
      return std::tan(x);
    case Op::Tanh:
      return std::tanh(x);
    case Op::Atan:
      return std::atan(x);
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
    case Op::Neg:
    case Op::Fma:
    case Op::Sqrt:
    case Op::Abs:
    case Op::Min:
    case Op::Max:
    case Op::Sign:
    case Op::Floor:
    case Op::Ceil:
    case Op::Round:
    case Op::Trunc:
    case Op::Mod:
    case Op::Lt:
    case Op::Le:
    case Op::Gt:
    case Op::Ge:
    case Op::Eq:
    case Op::Ne:
    case Op::And:
    case Op::Or:
    case Op::Not:
    case Op::Select:
    case Op::IsFinite:
      break;
  }
  TALWEG_UNREACHABLE("no function of this operation");
}

/// Beyond float32's range every value counts as the first one outside.
double clamp_to_range(double value) { return std::clamp(value, -0x1p128, 0x1p128); }

/// The size of an ulp of float32 in the binade of `value`.
double ulp_at(double value) {
  const int exponent = value == 0 ? -126 : std::clamp(std::ilogb(value), -126, 127);
  return std::ldexp(1.0, exponent - 23);
}

/// |result - exact| in float32 ulps, infinite where only one is NaN.
double distance(double result, double exact) {
  if (std::isnan(result) || std::isnan(exact))
    return std::isnan(result) && std::isnan(exact) ? 0 : std::numeric_limits<double>::infinity();
  exact = clamp_to_range(exact);
  return std::fabs(clamp_to_range(result) - exact) / ulp_at(exact);
}

}  // namespace

void look_at_float32(Op op, float x, float y, Float32Seen& seen) {
  const float operands[2] = {x, y};
  const float result = evaluate(op, operands);
  const double good = reference(op, static_cast<double>(x), static_cast<double>(y));
  double error = distance(static_cast<double>(result), good);
  if (seen.arguments++ % kProbe == 0) {
    const double wide[2] = {static_cast<double>(x), static_cast<double>(y)};
    // In float64's ulps of its own binade, at most those of float32's scaled.
    seen.worst_reference_ulp =
        std::max(seen.worst_reference_ulp, error_ulp(op, wide, good) * 0x1p-29);
  }
  if (error > kSurelyGood) {
    ++seen.decided_by_mpfr;
    error = error_ulp(op, operands, result);
  }
  if (error <= seen.worst_ulp) return;
  seen.worst_ulp = error;
  seen.worst[0] = x;
  seen.worst[1] = y;
}

}  // namespace talweg::builtins::tests
