// Measuring the error of the elementary functions against MPFR and holding it to the bounds that
// docs/numerics.md states. The measured maxima are printed: the table there comes from this output.
#pragma once

#include <catch2/catch.hpp>
#include <cstdio>
#include <functional>
#include <string>

#include "compiler/builtins/evaluate.h"
#include "tests/builtins/exact.h"
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

/// The largest error seen, and where.
template <class T>
struct Worst {
  double ulp = 0;
  T operands[2] = {};

  void look(Op op, T x, T y) {
    const T arguments[2] = {x, y};
    const double error = error_ulp(op, arguments, evaluate(op, arguments));
    if (error <= ulp) return;
    ulp = error;
    operands[0] = x;
    operands[1] = y;
  }
};

template <class T>
void require_within(Op op, const char* type, const Worst<T>& worst, double bound) {
  char text[160];
  std::snprintf(text, sizeof text, "%-6s %s %.4f ulp (bound %.3g) at %a %a",
                std::string(info(op).name).c_str(), type, worst.ulp, bound,
                static_cast<double>(worst.operands[0]), static_cast<double>(worst.operands[1]));
  std::puts(text);
  INFO(text);
  CHECK(worst.ulp <= bound);
}

}  // namespace talweg::builtins::tests
