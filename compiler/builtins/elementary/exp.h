// exp and expm1, and the exponential of a Pair for pow and tanh.
//
// x = k ln 2 + r with |r| <= 0.3467; e^r - 1 = r + r^2/2 + r^3 Q(r), the first two terms exactly
// and Q a minimax polynomial of degree 10 with error at most 2^-59 of r. The result is 2^k (1 +
// (e^r - 1)), where the sum is formed as a Pair. Bound: 0.7 ulp, as measured in
// tests/builtins; 0.8 where the result is subnormal, as scaling rounds a second time.
#pragma once

#include "compiler/builtins/elementary/constants.h"
#include "compiler/builtins/elementary/pair.h"

namespace talweg::builtins {

/// exp(x) = 2^k (1 + e).
template <class A>
struct ExpParts {
  typename A::Number k;
  typename A::Integer k_integer;  // two's complement
  Pair<A> e;                      // hi and lo may overlap; their sum is within 2^-58 of its value
};

/// |x.hi| at most 1100, |x.lo| at most an ulp of it or so.
template <class A>
ExpParts<A> exp_parts(A& a, Pair<A> x) {
  static constexpr double kQ[] = {
      0x1.5555555555555p-3,  0x1.5555555555557p-5,  0x1.1111111111113p-7,  0x1.6c16c16c158d8p-10,
      0x1.a01a01a0185fep-13, 0x1.a01a01aaa272bp-16, 0x1.71de3a5f8b9cbp-19, 0x1.27e4d23987032p-22,
      0x1.ae64186e2e782p-26, 0x1.1f8267f2427eap-29, 0x1.61ddb383a7929p-33};
  const auto shifted = a.fma(x.hi, a.number(kLog2E), a.number(kRoundingShift));
  const auto k = a.sub(shifted, a.number(kRoundingShift));
  const auto minus_k = a.neg(k);
  const auto r_exact = a.fma(minus_k, a.number(kLn2Short), x.hi);
  const Pair<A> r = sum(a, r_exact, a.fma(minus_k, a.number(kLn2Rest), x.lo));

  const Pair<A> square = product(a, r.hi, r.hi);
  const auto half = a.number(0.5);
  const Pair<A> head = ordered_sum(a, r.hi, a.mul(square.hi, half));
  const auto cube = a.mul(square.hi, r.hi);
  const auto tail = a.fma(cube, polynomial(a, r.hi, kQ), a.fma(r.lo, r.hi, r.lo));
  const auto e_lo = a.add(a.fma(square.lo, half, head.lo), tail);
  return {k, a.sub(a.bits(shifted), a.integer(kRoundingShiftBits)), {head.hi, e_lo}};
}

/// y * 2^k, rounded once, for an integer k (two's complement) of magnitude below 2000.
template <class A>
typename A::Number scale(A& a, typename A::Number y, typename A::Integer k) {
  const auto bias = a.integer(1023);
  const auto half = a.sub(a.shift_right(a.add(k, a.integer(2048)), 1), a.integer(1024));
  const auto first = a.from_bits(a.shift_left(a.add(half, bias), 52));
  const auto second = a.from_bits(a.shift_left(a.add(a.sub(k, half), bias), 52));
  return a.mul(a.mul(y, first), second);
}

/// x, but at least `low` and at most `high`; NaN stays.
template <class A>
typename A::Number clamp(A& a, typename A::Number x, double low, double high) {
  const auto bounded = a.select(a.lt(x, a.number(low)), a.number(low), x);
  return a.select(a.lt(a.number(high), x), a.number(high), bounded);
}

/// exp(x.hi + x.lo) for |x.hi| at most 1100.
template <class A>
typename A::Number exp_pair(A& a, Pair<A> x) {
  const ExpParts<A> parts = exp_parts(a, x);
  const Pair<A> s = ordered_sum(a, a.number(1), parts.e.hi);
  return scale(a, a.add(s.hi, a.add(s.lo, parts.e.lo)), parts.k_integer);
}

template <class A>
typename A::Number exp(A& a, typename A::Number x) {
  return exp_pair(a, Pair<A>{clamp(a, x, -1000, 1000), a.number(0)});
}

/// expm1(x) = 2^k m.
template <class A>
struct Expm1Parts {
  typename A::Integer k;
  typename A::Number inverse;  // 2^-k, or 0 where k >= 64
  Pair<A> m;                   // hi and lo may overlap
};

/// x from -50 to 1000.
template <class A>
Expm1Parts<A> expm1_parts(A& a, typename A::Number x) {
  const ExpParts<A> parts = exp_parts(a, Pair<A>{x, a.number(0)});
  const auto power = a.from_bits(a.shift_left(a.sub(a.integer(1023), parts.k_integer), 52));
  const auto inverse = a.select(a.lt(parts.k, a.number(64)), power, a.number(0));
  const Pair<A> base = sum(a, a.number(1), a.neg(inverse));
  const Pair<A> m = sum(a, base.hi, parts.e.hi);
  return {parts.k_integer, inverse, {m.hi, a.add(m.lo, a.add(base.lo, parts.e.lo))}};
}

template <class A>
typename A::Number expm1(A& a, typename A::Number x) {
  const Expm1Parts<A> parts = expm1_parts(a, clamp(a, x, -50, 1000));
  const auto value = scale(a, a.add(parts.m.hi, parts.m.lo), parts.k);
  return a.select(a.eq(x, a.number(0)), x, value);
}

}  // namespace talweg::builtins
