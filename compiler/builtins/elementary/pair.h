// Numbers of twice the precision, as unevaluated sums of two float64, and polynomials.
//
// A Pair stands for hi + lo. Most functions need a few more bits than 53 up to their last addition;
// these are the error-free transformations (Dekker 1971, Knuth, TAOCP vol. 2, 4.2.2) that supply
// them.
#pragma once

#include <cstddef>

#include "compiler/builtins/elementary/arithmetic.h"

namespace talweg::builtins {

template <class A>
struct Pair {
  typename A::Number hi, lo;
};

/// x + y exactly, where x is 0 or |x| >= |y|.
template <class A>
Pair<A> ordered_sum(A& a, typename A::Number x, typename A::Number y) {
  const auto hi = a.add(x, y);
  return {hi, a.sub(y, a.sub(hi, x))};
}

/// x + y exactly.
template <class A>
Pair<A> sum(A& a, typename A::Number x, typename A::Number y) {
  const auto hi = a.add(x, y);
  const auto y_part = a.sub(hi, x);
  const auto x_part = a.sub(hi, y_part);
  return {hi, a.add(a.sub(x, x_part), a.sub(y, y_part))};
}

/// x * y exactly, unless the error is below the smallest subnormal.
template <class A>
Pair<A> product(A& a, typename A::Number x, typename A::Number y) {
  const auto hi = a.mul(x, y);
  return {hi, a.fma(x, y, a.neg(hi))};
}

/// x * y to about 2^-102 of it.
template <class A>
Pair<A> product(A& a, Pair<A> x, Pair<A> y) {
  const Pair<A> p = product(a, x.hi, y.hi);
  return {p.hi, a.fma(x.lo, y.hi, a.fma(x.hi, y.lo, p.lo))};
}

/// x + y to about 2^-102 of |x|, where x.hi is 0 or |x.hi| >= |y.hi|.
template <class A>
Pair<A> ordered_sum(A& a, Pair<A> x, Pair<A> y) {
  const Pair<A> s = ordered_sum(a, x.hi, y.hi);
  return {s.hi, a.add(s.lo, a.add(x.lo, y.lo))};
}

/// n / d to about 2^-102 of it.
template <class A>
Pair<A> quotient(A& a, Pair<A> n, Pair<A> d) {
  const auto hi = a.div(n.hi, d.hi);
  const auto remainder = a.fma(a.neg(hi), d.lo, a.add(a.fma(a.neg(hi), d.hi, n.hi), n.lo));
  return {hi, a.div(remainder, d.hi)};
}

/// c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule.
template <class A, std::size_t N>
typename A::Number polynomial(A& a, typename A::Number x, const double (&c)[N]) {
  auto value = a.number(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) value = a.fma(value, x, a.number(c[i]));
  return value;
}

/// c where its sign bit is replaced by that of `sign`.
template <class A>
typename A::Number with_sign_of(A& a, typename A::Number c, typename A::Number sign) {
  const auto mask = a.integer(std::uint64_t{1} << 63);
  const auto magnitude = a.bit_and(a.bits(c), a.integer(~(std::uint64_t{1} << 63)));
  return a.from_bits(a.bit_or(magnitude, a.bit_and(a.bits(sign), mask)));
}

}  // namespace talweg::builtins
