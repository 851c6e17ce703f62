// tanh: with u = expm1(2|x|), tanh |x| = u / (u + 2), as a quotient of Pairs. From |x| = 22 on it
// is 1. Bound: 0.6 ulp, as measured in tests/builtins.
#pragma once

#include "compiler/builtins/elementary/exp.h"

namespace talweg::builtins {

template <class A>
typename A::Number tanh(A& a, typename A::Number x) {
  const auto magnitude = clamp(a, a.abs(x), 0, 22);
  // u = 2^k m, so u / (u + 2) = m / (m + 2^(1 - k)).
  const Expm1Parts<A> parts = expm1_parts(a, a.add(magnitude, magnitude));
  const Pair<A> m = ordered_sum(a, parts.m.hi, parts.m.lo);
  const Pair<A> two = sum(a, a.add(parts.inverse, parts.inverse), m.hi);
  const Pair<A> ratio = quotient(a, m, Pair<A>{two.hi, a.add(two.lo, m.lo)});
  return with_sign_of(a, a.add(ratio.hi, ratio.lo), x);
}

}  // namespace talweg::builtins
