// pow: exp(y log|x|) with the logarithm as a Pair of some 68 bits, so that the product's absolute
// error stays below 2^-57 up to overflow, and with the special values of IEEE 754-2019, 9.2.1.
// Bound: that of exp, as measured in tests/builtins.
#pragma once

#include "compiler/builtins/elementary/exp.h"
#include "compiler/builtins/elementary/log.h"

namespace talweg::builtins {

/// |x|^y for |x| not NaN and not 1, y not 0.
template <class A>
typename A::Number power_of_magnitude(A& a, typename A::Number magnitude, typename A::Number y) {
  const auto ordinary = positive_finite(a, magnitude);
  const Pair<A> log = log_pair(a, a.select(ordinary, magnitude, a.number(2)));
  const auto log_hi = a.select(ordinary, log.hi, log_of_other(a, magnitude));
  const auto hi = a.mul(y, log_hi);
  const auto lo = a.fma(y, log.lo, a.fma(y, log_hi, a.neg(hi)));
  // Beyond 1000 the result is infinite or zero, and lo may be infinite or NaN.
  const auto lo_counts = a.lt(a.abs(hi), a.number(1000));
  const Pair<A> exponent =
      ordered_sum(a, clamp(a, hi, -1000, 1000), a.select(lo_counts, lo, a.number(0)));
  return exp_pair(a, exponent);
}

template <class A>
typename A::Number pow(A& a, typename A::Number x, typename A::Number y) {
  const auto zero = a.number(0);
  const auto one = a.number(1);
  const auto magnitude = a.abs(x);
  const auto power = power_of_magnitude(a, magnitude, y);
  const auto positive = a.select(a.eq(magnitude, one), a.select(a.ne(y, y), y, one), power);

  const auto integral = a.eq(a.floor(y), y);  // infinities are, and are even
  const auto half = a.mul(y, a.number(0.5));
  const auto odd = a.both(integral, a.ne(a.floor(half), half));
  const auto negated = with_sign_of(a, positive, x);
  const auto root_of_negative =
      a.both(a.both(a.lt(x, zero), a.lt(a.number(-kInfinity), x)), a.negate(integral));
  const auto value = a.select(root_of_negative, a.number(kNaN), a.select(odd, negated, positive));
  return a.select(a.either(a.eq(y, zero), a.eq(x, one)), one, value);
}

}  // namespace talweg::builtins
