// The functions whose error is measured, with the arguments that are worth sampling densely and the
// bound that docs/numerics.md states.
#pragma once

#include <cmath>
#include <functional>
#include <utility>

#include "compiler/builtins/op.h"
#include "tests/builtins/samples.h"

namespace talweg::builtins::tests {

/// A function, the range of its arguments that is worth sampling densely, and its bound.
struct Case {
  Op op;
  std::function<double(Random&)> dense;
  double bound_ulp;  // in float64
};

inline double either_sign(Random& random, double value) {
  return random.bits() & 1 ? value : -value;
}

/// A multiple of pi/2 up to 2^30 of them, rounded: results there are near zero or near a pole.
inline double near_quarter_turn(Random& random) {
  return std::floor(random.spread(1, 0x1p30)) * 0x1.921fb54442d18p+0;
}

inline double angle(Random& random) {
  const std::uint64_t choice = random.bits() % 3;
  if (choice == 0) return either_sign(random, near_quarter_turn(random));
  if (choice == 1) return random.even(-20, 20);
  return either_sign(random, random.spread(1e-10, 1e22));
}

/// Around 1 as closely as beta and 1 - beta can be, or anywhere.
inline double near_one(Random& random) {
  return random.bits() & 1 ? 1 + either_sign(random, random.spread(1e-16, 0.5))
                           : random.spread(1e-300, 1e300);
}

inline const Case kCases[] = {
    {Op::Rsqrt, [](Random& r) { return r.spread(1e-320, 1e308); }, 0.501},
    {Op::Exp, [](Random& r) { return r.even(-746, 710); }, 0.8},
    {Op::Expm1, [](Random& r) { return either_sign(r, r.spread(1e-18, 710)); }, 0.7},
    {Op::Log, near_one, 0.51},
    {Op::Log1p, [](Random& r) { return near_one(r) - 1; }, 0.51},
    {Op::Log2, near_one, 0.51},
    {Op::Sin, angle, 0.8},
    {Op::Cos, angle, 0.8},
    {Op::Tan, angle, 1},
    {Op::Tanh, [](Random& r) { return either_sign(r, r.spread(1e-18, 25)); }, 0.6},
    {Op::Atan, [](Random& r) { return either_sign(r, r.spread(1e-10, 1e10)); }, 0.9},
};

/// The error that a float32 result may have: the float64 value, rounded once.
inline constexpr double kFloat32Bound = 0.501;
inline constexpr double kPowBound = 0.8;  // in float64

/// Operands of pow: any bits; results over the whole range; beta^t; integer powers of negative
/// numbers.
inline std::pair<double, double> pow_operands(Random& random) {
  switch (random.bits() % 6) {
    case 0:
      return {random.any_double(), random.any_double()};
    case 1:
      return {1 - random.spread(1e-12, 0.5), std::floor(random.spread(1, 1e9))};
    case 2:
      return {either_sign(random, random.spread(1e-5, 1e5)), random.even(-60, 60)};
    case 3:
      return {-random.spread(1e-3, 1e3), std::floor(random.even(-60, 60))};
    default: {
      const double x = random.spread(1e-308, 1e308);
      return {x, random.even(-750, 750) / std::log(x)};
    }
  }
}

/// The same for float32.
inline std::pair<float, float> pow_operands_float(Random& random) {
  const std::uint64_t choice = random.bits() % 4;
  if (choice == 0) return {random.any_float(), random.any_float()};
  if (choice == 1)
    return {static_cast<float>(1 - random.spread(1e-7, 0.5)),
            static_cast<float>(std::floor(random.spread(1, 1e9)))};
  if (choice == 2)
    return {static_cast<float>(-random.spread(1e-3, 1e3)),
            static_cast<float>(std::floor(random.even(-60, 60)))};
  const double x = random.spread(1e-38, 1e38);
  return {static_cast<float>(x), static_cast<float>(random.even(-105, 90) / std::log(x))};
}

}  // namespace talweg::builtins::tests
