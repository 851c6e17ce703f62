// log, log2 and log1p, and the logarithm as a Pair for pow.
//
// x = 2^k m with m in [sqrt(1/2), sqrt(2)); with s = (m - 1) / (m + 1) and z = s^2 <= 0.0295,
//   log m = 2 atanh s = 2s (1 + z/3 + z^2/5 + z^3 R(z)),
// R a minimax polynomial of degree 7; the whole error is below 2^-68 of log x, which pow needs.
// s, and the terms 1, 1/3 and 1/5, are Pairs. Bound: 0.51 ulp, as measured in
// tests/builtins.
#pragma once

#include "compiler/builtins/elementary/constants.h"
#include "compiler/builtins/elementary/pair.h"

namespace talweg::builtins {

/// 2 atanh(s) for |s| <= 0.1717; normalised.
template <class A>
Pair<A> twice_atanh(A& a, Pair<A> s) {
  static constexpr double kR[] = {0x1.2492492492492p-3, 0x1.c71c71c71cdb7p-4, 0x1.745d174516c4fp-4,
                                  0x1.3b13b1c558499p-4, 0x1.1110db3a0369cp-4, 0x1.e1f9c6b59f383p-5,
                                  0x1.ac1f320f5cdc9p-5, 0x1.ba66b64b8ee14p-5};
  const Pair<A> fifth{a.number(0x1.999999999999ap-3), a.number(-0x1.999999999999ap-57)};
  const Pair<A> third{a.number(0x1.5555555555555p-2), a.number(0x1.5555555555555p-56)};
  const Pair<A> z = product(a, s, s);
  const Pair<A> rest{a.mul(z.hi, polynomial(a, z.hi, kR)), a.number(0)};
  const Pair<A> inner = product(a, z, ordered_sum(a, fifth, rest));
  const Pair<A> series = product(a, z, ordered_sum(a, third, inner));
  const Pair<A> twice{a.add(s.hi, s.hi), a.add(s.lo, s.lo)};
  const Pair<A> value = ordered_sum(a, twice, product(a, twice, series));
  return ordered_sum(a, value.hi, value.lo);
}

/// log(x) = k ln 2 + m.
template <class A>
struct LogParts {
  typename A::Number k;
  Pair<A> m;  // normalised; |m| <= 0.3466
};

/// x.hi positive, normal and finite; |x.lo| at most half an ulp of it.
template <class A>
LogParts<A> log_parts(A& a, Pair<A> x) {
  constexpr std::uint64_t kOne = 0x3ff0000000000000;
  constexpr std::uint64_t kRootHalf = 0x3fe6a09e667f3bcd;
  const auto bits = a.bits(x.hi);
  const auto biased = a.shift_right(a.add(bits, a.integer(kOne - kRootHalf)), 52);  // k + 1023
  const auto k_number =
      a.sub(a.from_bits(a.bit_or(biased, a.integer(kTwoTo52Bits))), a.number(0x1p52 + 1023));
  const auto m = a.from_bits(a.sub(bits, a.shift_left(a.sub(biased, a.integer(1023)), 52)));
  // 2^-k; where x.hi > 2^1023 sqrt(2) it is below the normal numbers, and x.lo does not count.
  const auto power = a.from_bits(a.shift_left(a.sub(a.integer(2046), biased), 52));
  const auto inverse = a.select(a.eq(biased, a.integer(2047)), a.number(0), power);

  const Pair<A> f = sum(a, a.sub(m, a.number(1)), a.mul(x.lo, inverse));
  const Pair<A> two{a.number(2), a.number(0)};
  return {k_number, twice_atanh(a, quotient(a, f, ordered_sum(a, two, f)))};
}

/// log(x) as a normalised Pair, for x positive and finite, subnormals included.
template <class A>
Pair<A> log_pair(A& a, typename A::Number x) {
  const auto tiny = a.lt(x, a.number(0x1p-1022));
  const auto scaled = a.select(tiny, a.mul(x, a.number(0x1p54)), x);
  const LogParts<A> parts = log_parts(a, Pair<A>{scaled, a.number(0)});
  const auto k = a.sub(parts.k, a.select(tiny, a.number(54), a.number(0)));
  const Pair<A> exponent{a.mul(k, a.number(kLn2Short)), a.mul(k, a.number(kLn2Rest))};
  const Pair<A> value = ordered_sum(a, exponent, parts.m);
  return ordered_sum(a, value.hi, value.lo);
}

/// What a logarithm is where its argument is not positive and finite.
template <class A>
typename A::Number log_of_other(A& a, typename A::Number x) {
  const auto rest = a.select(a.eq(x, a.number(kInfinity)), x, a.number(kNaN));
  return a.select(a.eq(x, a.number(0)), a.number(-kInfinity), rest);
}

/// True where x is positive and finite.
template <class A>
typename A::Truth positive_finite(A& a, typename A::Number x) {
  return a.both(a.lt(a.number(0), x), a.lt(x, a.number(kInfinity)));
}

template <class A>
typename A::Number log(A& a, typename A::Number x) {
  const auto ordinary = positive_finite(a, x);
  const Pair<A> value = log_pair(a, a.select(ordinary, x, a.number(1)));
  return a.select(ordinary, a.add(value.hi, value.lo), log_of_other(a, x));
}

template <class A>
typename A::Number log2(A& a, typename A::Number x) {
  const auto ordinary = positive_finite(a, x);
  const auto tiny = a.lt(x, a.number(0x1p-1022));
  const auto scaled = a.select(tiny, a.mul(x, a.number(0x1p54)), x);
  const LogParts<A> parts =
      log_parts(a, Pair<A>{a.select(ordinary, scaled, a.number(1)), a.number(0)});
  const auto k = a.sub(parts.k, a.select(tiny, a.number(54), a.number(0)));
  const Pair<A> log2_e{a.number(kLog2E), a.number(kLog2ERest)};
  const Pair<A> value = ordered_sum(a, Pair<A>{k, a.number(0)}, product(a, parts.m, log2_e));
  return a.select(ordinary, a.add(value.hi, value.lo), log_of_other(a, x));
}

template <class A>
typename A::Number log1p(A& a, typename A::Number x) {
  const auto ordinary = a.both(a.lt(a.number(-1), x), a.lt(x, a.number(kInfinity)));
  const auto safe = a.select(ordinary, x, a.number(0));
  const LogParts<A> parts = log_parts(a, sum(a, a.number(1), safe));
  const Pair<A> exponent{a.mul(parts.k, a.number(kLn2Short)), a.mul(parts.k, a.number(kLn2Rest))};
  const Pair<A> value = ordered_sum(a, exponent, parts.m);
  // Below 2^-60 the argument itself, for the sake of -0 and subnormals.
  const auto small = a.lt(a.abs(x), a.number(0x1p-60));
  const auto usual = a.select(small, x, a.add(value.hi, value.lo));
  return a.select(ordinary, usual, log_of_other(a, a.add(x, a.number(1))));
}

}  // namespace talweg::builtins
