// mod: the remainder of a / b with the sign of b, as `%` means it.
//
// q = floor(a / b), r = a - q b in one rounding (exact where |a / b| < 2^53 unless a and b differ
// in sign and |a| < |b|), and r + b where the quotient was rounded up over an integer and r has the
// other sign. So r is in [0, b] (or [b, 0]); b itself only by that rounding, as -1e-20 mod 3. Where
// |a / b| >= 2^53, the rounded quotient is an integer and the remainder 0. A zero has the sign of
// b. a mod inf is a where the signs agree or a is 0, else that infinity. NaN for b = 0 and for
// infinite a.
#pragma once

#include "compiler/builtins/elementary/constants.h"
#include "compiler/builtins/elementary/pair.h"

namespace talweg::builtins {

template <class A>
typename A::Number mod(A& a, typename A::Number x, typename A::Number b) {
  const auto zero = a.number(0);
  const auto q = a.floor(a.div(x, b));
  // Where q is 0, x itself: b may be infinite.
  const auto r = a.select(a.eq(q, zero), x, a.fma(a.neg(q), b, x));
  const auto below = a.both(a.lt(r, zero), a.lt(zero, b));
  const auto above = a.both(a.lt(zero, r), a.lt(b, zero));
  const auto remainder = a.select(a.either(below, above), a.add(r, b), r);
  // 0 for finite x and b other than 0, else NaN.
  const auto huge = a.add(a.sub(x, x), a.sub(a.div(b, b), a.number(1)));
  const auto value = a.select(a.lt(a.abs(q), a.number(0x1p53)), remainder, huge);
  return a.select(a.eq(value, zero), with_sign_of(a, zero, b), value);
}

}  // namespace talweg::builtins
