// rsqrt: 1 / sqrt(x), with the rounding errors of root and quotient taken back to first order.
//
// With s = sqrt(x) rounded, y = 1/s rounded, and the exact residuals 1 - y s and x - s^2,
//   1 / sqrt(x) = y + y ((1 - y s) - y^2 (x - s^2) / 2) up to some 2^-104,
// so the result is within 0.5001 ulp: it is the nearest number but for near ties.
#pragma once

#include "compiler/builtins/elementary/constants.h"
#include "compiler/builtins/elementary/pair.h"

namespace talweg::builtins {

template <class A>
typename A::Number rsqrt(A& a, typename A::Number x) {
  const auto one = a.number(1);
  // x - s^2 must not be subnormal.
  const auto small = a.lt(x, a.number(0x1p-900));
  const auto scaled = a.select(small, a.mul(x, a.number(0x1p200)), x);
  const auto s = a.sqrt(scaled);
  const auto y = a.div(one, s);
  const auto minus_s = a.neg(s);
  const auto of_quotient = a.fma(minus_s, y, one);
  const auto of_root = a.mul(a.mul(a.fma(minus_s, s, scaled), y), a.mul(y, a.number(0.5)));
  const auto corrected = a.fma(y, a.sub(of_quotient, of_root), y);
  const auto unscaled = a.mul(corrected, a.select(small, a.number(0x1p100), one));
  const auto ordinary = a.both(a.lt(a.number(0), x), a.lt(x, a.number(kInfinity)));
  // 1 / sqrt(x) is already right for the others: infinity for a zero, of its sign, 0 for infinity,
  // NaN.
  return a.select(ordinary, unscaled, y);
}

}  // namespace talweg::builtins
