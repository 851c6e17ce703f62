// Reduction of an angle to [-pi/4, pi/4], for every finite float64 and without branches.
//
// From pi/4 on: |x| = M 2^e with an integer M < 2^53. Of |x| 2/pi only the value modulo 4 counts,
// so of the bits of 2/pi the 192 from weight 2^(1 - e) downwards are multiplied by M (Payne and
// Hanek 1983). That gives the quadrant and 126 bits of fraction. No float64 comes nearer than 2^-62
// to a multiple of pi/2 (in units of it), so at least 64 of them are significant.
#pragma once

#include "compiler/builtins/elementary/constants.h"
#include "compiler/builtins/elementary/pair.h"

namespace talweg::builtins {

/// |x| = quadrant pi/2 + r modulo 2 pi.
template <class A>
struct ReducedAngle {
  typename A::Integer quadrant;  // 0 to 3
  Pair<A> r;                     // normalised, |r| <= pi/4 and a little
};

/// The upper half of the product of m < 2^53 and w.
template <class A>
typename A::Integer multiply_high(A& a, typename A::Integer m, typename A::Integer w) {
  const auto low_half = a.integer(0xffffffff);
  const auto m_low = a.bit_and(m, low_half), m_high = a.shift_right(m, 32);
  const auto w_low = a.bit_and(w, low_half), w_high = a.shift_right(w, 32);
  const auto cross = a.mul(m_low, w_high);
  const auto carry =
      a.add(a.add(a.shift_right(a.mul(m_low, w_low), 32), a.bit_and(cross, low_half)),
            a.mul(m_high, w_low));
  return a.add(a.add(a.mul(m_high, w_high), a.shift_right(cross, 32)), a.shift_right(carry, 32));
}

/// n 2^-shift as a float64, for an integer n < 2^52.
template <class A>
typename A::Number from_integer(A& a, typename A::Integer n, double unit) {
  const auto exact = a.sub(a.from_bits(a.bit_or(n, a.integer(kTwoTo52Bits))), a.number(0x1p52));
  return a.mul(exact, a.number(unit));
}

/// The 128 bits of x 2/pi from weight 2 downwards.
template <class A>
struct Turns {
  typename A::Integer high, low;
};

/// x finite, at least pi/4.
template <class A>
Turns<A> turns(A& a, typename A::Number x) {
  // 64 zeros, then the binary digits of 2/pi after the point.
  static constexpr std::uint64_t kTwoOverPi[] = {
      0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
      0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
      0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
      0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
      0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};
  const auto bits = a.bits(x);
  const auto fraction = a.bit_and(bits, a.integer(0x000fffffffffffff));
  const auto m = a.bit_or(fraction, a.integer(0x0010000000000000));
  // The exponent field is e + 1075; weight 2^(1 - e) stands at position e + 62 of the table.
  const auto position = a.sub(a.shift_right(bits, 52), a.integer(1075 - 62));
  const auto index = a.shift_right(position, 6);
  const auto offset = a.bit_and(position, a.integer(63));
  const auto rest = a.bit_xor(offset, a.integer(63));  // 63 - offset
  const auto word = [&](std::uint64_t i) {
    return a.lookup(kTwoOverPi, a.add(index, a.integer(i)));
  };
  const auto joined = [&](auto left, auto right) {
    return a.bit_or(a.shift_left(left, offset), a.shift_right(a.shift_right(right, 1), rest));
  };
  const auto word1 = word(1), word2 = word(2);
  const auto w0 = joined(word(0), word1), w1 = joined(word1, word2), w2 = joined(word2, word(3));
  const auto low_product = a.mul(m, w1);
  const auto low = a.add(low_product, multiply_high(a, m, w2));
  const auto carry = a.select(a.lt(low, low_product), a.integer(1), a.integer(0));
  return {a.add(a.add(a.mul(m, w0), multiply_high(a, m, w1)), carry), low};
}

/// `magnitude` is |x|, finite.
template <class A>
ReducedAngle<A> reduce_angle(A& a, typename A::Number magnitude) {
  const auto zero = a.number(0);
  const auto none = a.integer(0);
  const auto small = a.lt(magnitude, a.number(0x1.921fb54442d18p-1));
  const Turns<A> t = turns(a, a.select(small, a.number(1), magnitude));
  const auto quadrant = a.shift_right(a.add(t.high, a.integer(std::uint64_t{1} << 61)), 62);
  const auto high = a.sub(t.high, a.shift_left(quadrant, 62));
  // The fraction's magnitude; complementing is off by the last bit only.
  const auto mask = a.sub(none, a.shift_right(high, 63));
  const auto f_high = a.bit_xor(high, mask), f_low = a.bit_xor(t.low, mask);

  const auto f0 = from_integer(a, a.shift_right(f_high, 10), 0x1p-52);
  const auto middle =
      a.bit_or(a.shift_left(a.bit_and(f_high, a.integer(0x3ff)), 42), a.shift_right(f_low, 22));
  const auto f1 = from_integer(a, middle, 0x1p-104);
  const auto f2 = from_integer(a, a.bit_and(f_low, a.integer(0x3fffff)), 0x1p-126);
  const Pair<A> upper = ordered_sum(a, f0, f1);
  const Pair<A> f = ordered_sum(a, upper.hi, a.add(upper.lo, f2));
  const Pair<A> half_pi{a.number(kHalfPi), a.number(kHalfPiRest)};
  const Pair<A> angle = product(a, f, half_pi);
  const auto signed_hi = a.from_bits(a.bit_xor(a.bits(angle.hi), a.shift_left(mask, 63)));
  const auto signed_lo = a.from_bits(a.bit_xor(a.bits(angle.lo), a.shift_left(mask, 63)));
  return {a.select(small, none, quadrant),
          ordered_sum(a, a.select(small, magnitude, signed_hi), a.select(small, zero, signed_lo))};
}

}  // namespace talweg::builtins
