// sin, cos and tan of every finite angle.
//
// On [-pi/4, pi/4], with z = r^2: sin r = r + r z S(z) and cos r = 1 - z/2 + z^2 C(z), S and C
// minimax polynomials of degree 6 with errors at most 2^-57 and 2^-59. Both stay Pairs until the
// last operation, also as numerator and denominator of the tangent. Bound: 0.8 ulp, of the
// tangent 1, as measured in tests/builtins.
#pragma once

#include "compiler/builtins/elementary/reduce_angle.h"

namespace talweg::builtins {

/// Sine and cosine; normalised.
template <class A>
struct SineCosine {
  Pair<A> sine, cosine;
};

/// |r| at most pi/4 and a little.
template <class A>
SineCosine<A> sine_cosine(A& a, Pair<A> r) {
  static constexpr double kS[] = {
      -0x1.5555555555555p-3,  0x1.111111111110cp-7,  -0x1.a01a01a018ddfp-13, 0x1.71de3a536e09cp-19,
      -0x1.ae6452d4279dbp-26, 0x1.6120b4bde7adbp-33, -0x1.aab48f7f4f410p-41};
  static constexpr double kC[] = {
      0x1.5555555555555p-5,  -0x1.6c16c16c16c15p-10, 0x1.a01a01a019726p-16, -0x1.27e4fb768f377p-22,
      0x1.1eed8d3b770b9p-29, -0x1.9393d8906d9fdp-37, 0x1.ab095850d36cap-45};
  const auto half = a.number(0.5);
  const auto one = a.number(1);
  const Pair<A> z = product(a, r.hi, r.hi);
  const auto half_z = a.mul(z.hi, half);
  const auto minus_lo = a.neg(r.lo);

  // d sin = cos r dr, and cos r = 1 - z/2 nearly.
  const auto sine_lo = a.fma(minus_lo, half_z, r.lo);
  const auto sine_tail = a.fma(a.mul(z.hi, r.hi), polynomial(a, z.hi, kS), sine_lo);
  // d cos = -sin r dr, and sin r = r nearly.
  const auto cosine_lo = a.fma(minus_lo, r.hi, a.mul(z.lo, a.neg(half)));
  const auto cosine_tail = a.fma(a.mul(z.hi, z.hi), polynomial(a, z.hi, kC), cosine_lo);
  const Pair<A> cosine_head = ordered_sum(a, one, a.neg(half_z));
  return {ordered_sum(a, r.hi, sine_tail),
          ordered_sum(a, cosine_head.hi, a.add(cosine_head.lo, cosine_tail))};
}

/// The angle reduced, with what every one of the functions needs to know of it.
template <class A>
struct Angle {
  typename A::Truth finite, odd;  // odd: sine and cosine change places
  typename A::Integer quadrant;
  SineCosine<A> of_rest;
};

template <class A>
Angle<A> reduced(A& a, typename A::Number x) {
  const auto magnitude = a.abs(x);
  const auto finite = a.lt(magnitude, a.number(kInfinity));
  const ReducedAngle<A> angle = reduce_angle(a, a.select(finite, magnitude, a.number(0)));
  const auto odd = a.eq(a.bit_and(angle.quadrant, a.integer(1)), a.integer(1));
  return {finite, odd, angle.quadrant, sine_cosine(a, angle.r)};
}

/// -y where bit 1 of `quadrant` is set, else y.
template <class A>
typename A::Number negate_in_upper_half(A& a, typename A::Number y, typename A::Integer quadrant) {
  const auto sign = a.shift_left(a.shift_right(quadrant, 1), 63);
  return a.from_bits(a.bit_xor(a.bits(y), sign));
}

/// -y where x has its sign bit set, else y.
template <class A>
typename A::Number times_sign_of(A& a, typename A::Number y, typename A::Number x) {
  const auto sign = a.bit_and(a.bits(x), a.integer(std::uint64_t{1} << 63));
  return a.from_bits(a.bit_xor(a.bits(y), sign));
}

template <class A>
typename A::Number sin(A& a, typename A::Number x) {
  const Angle<A> angle = reduced(a, x);
  const auto value = a.select(angle.odd, angle.of_rest.cosine.hi, angle.of_rest.sine.hi);
  const auto signed_value = times_sign_of(a, negate_in_upper_half(a, value, angle.quadrant), x);
  return a.select(angle.finite, signed_value, a.number(kNaN));
}

template <class A>
typename A::Number cos(A& a, typename A::Number x) {
  const Angle<A> angle = reduced(a, x);
  const auto value = a.select(angle.odd, angle.of_rest.sine.hi, angle.of_rest.cosine.hi);
  // cos(r + pi/2) = -sin r: negative in quadrants 1 and 2.
  const auto quadrant = a.add(angle.quadrant, a.integer(1));
  const auto signed_value = negate_in_upper_half(a, value, a.bit_and(quadrant, a.integer(3)));
  return a.select(angle.finite, signed_value, a.number(kNaN));
}

template <class A>
typename A::Number tan(A& a, typename A::Number x) {
  const Angle<A> angle = reduced(a, x);
  const Pair<A>& sine = angle.of_rest.sine;
  const Pair<A>& cosine = angle.of_rest.cosine;
  // tan(r + pi/2) = -cos r / sin r.
  const Pair<A> n{a.select(angle.odd, a.neg(cosine.hi), sine.hi),
                  a.select(angle.odd, a.neg(cosine.lo), sine.lo)};
  const Pair<A> d{a.select(angle.odd, sine.hi, cosine.hi), a.select(angle.odd, sine.lo, cosine.lo)};
  const Pair<A> ratio = quotient(a, n, d);
  const auto value = times_sign_of(a, a.add(ratio.hi, ratio.lo), x);
  return a.select(angle.finite, value, a.number(kNaN));
}

}  // namespace talweg::builtins
