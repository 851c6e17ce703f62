// atan: |x| = tan(b + c) with b in {0, pi/4, pi/2}, so that |tan c| <= tan(pi/8) = 0.4143.
//
// With t = tan c (a Pair: x, (x - 1) / (x + 1) or -1 / x) and z = t^2, atan t = t + t z P(z), P a
// minimax polynomial of degree 11 with error at most 2^-60 of t. Bound: 0.9 ulp, as measured in
// tests/builtins.
#pragma once

#include "compiler/builtins/elementary/constants.h"
#include "compiler/builtins/elementary/exp.h"
#include "compiler/builtins/elementary/pair.h"

namespace talweg::builtins {

template <class A>
typename A::Number atan(A& a, typename A::Number x) {
  static constexpr double kP[] = {
      -0x1.5555555555555p-2, 0x1.99999999997fdp-3, -0x1.24924924807a9p-3, 0x1.c71c71bbe91e9p-4,
      -0x1.745d154c097acp-4, 0x1.3b1379b589060p-4, -0x1.110d0caf4d965p-4, 0x1.e17cbfc7b7bffp-5,
      -0x1.abbd383435e52p-5, 0x1.71dd93418a13bp-5, -0x1.1441bf1786b0bp-5, 0x1.f9add22411c4cp-7};
  const auto zero = a.number(0);
  const auto one = a.number(1);
  const auto magnitude = clamp(a, a.abs(x), 0, 0x1p100);  // beyond, pi/2 whatever it is
  const auto low = a.lt(magnitude, a.number(0.41421356));
  const auto high = a.lt(a.number(2.4142136), magnitude);
  const Pair<A> less = sum(a, magnitude, a.number(-1));
  const Pair<A> more = sum(a, magnitude, one);
  const Pair<A> n{a.select(low, magnitude, a.select(high, a.number(-1), less.hi)),
                  a.select(a.either(low, high), zero, less.lo)};
  const Pair<A> d{a.select(low, one, a.select(high, magnitude, more.hi)),
                  a.select(a.either(low, high), zero, more.lo)};
  const auto base_scale = a.select(low, zero, a.select(high, one, a.number(0.5)));

  const Pair<A> t = quotient(a, n, d);
  const auto z = a.mul(t.hi, t.hi);
  const auto tail = a.fma(a.mul(t.hi, z), polynomial(a, z, kP), t.lo);
  const Pair<A> head = ordered_sum(a, a.mul(base_scale, a.number(kHalfPi)), t.hi);
  const auto rest = a.fma(base_scale, a.number(kHalfPiRest), tail);
  return with_sign_of(a, a.add(head.hi, a.add(head.lo, rest)), x);
}

}  // namespace talweg::builtins
