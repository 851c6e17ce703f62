// The float64 machine that elementary functions are written over.
//
// exp, log, pow and the others are templates over an arithmetic `A`. The interpreter runs them with
// DoubleArithmetic below; code generation runs the same templates with an arithmetic whose Number
// is an LLVM vector. So every function is written once, and every target computes the same
// operations in the same order. Functions are branch-free: where cases differ, both are computed
// and one selected.
//
// An arithmetic has Number (float64), Integer (uint64, wrapping) and Truth, and the members below.
// None may be contracted, reassociated or replaced by an approximate one.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace talweg::builtins {

struct DoubleArithmetic {
  using Number = double;
  using Integer = std::uint64_t;
  using Truth = bool;

  Number number(double value) { return value; }
  Integer integer(std::uint64_t value) { return value; }

  Number add(Number a, Number b) { return a + b; }
  Number sub(Number a, Number b) { return a - b; }
  Number mul(Number a, Number b) { return a * b; }
  Number div(Number a, Number b) { return a / b; }
  Number fma(Number a, Number b, Number c) { return std::fma(a, b, c); }
  Number sqrt(Number a) { return std::sqrt(a); }
  Number neg(Number a) { return -a; }
  Number abs(Number a) { return std::fabs(a); }
  Number floor(Number a) { return std::floor(a); }

  Integer bits(Number a) { return std::bit_cast<std::uint64_t>(a); }
  Number from_bits(Integer a) { return std::bit_cast<double>(a); }
  Integer add(Integer a, Integer b) { return a + b; }
  Integer sub(Integer a, Integer b) { return a - b; }
  Integer mul(Integer a, Integer b) { return a * b; }
  Integer bit_and(Integer a, Integer b) { return a & b; }
  Integer bit_or(Integer a, Integer b) { return a | b; }
  Integer bit_xor(Integer a, Integer b) { return a ^ b; }
  Integer shift_left(Integer a, int count) { return a << count; }
  Integer shift_right(Integer a, int count) { return a >> count; }      // logical
  Integer shift_left(Integer a, Integer count) { return a << count; }   // count 0 to 63
  Integer shift_right(Integer a, Integer count) { return a >> count; }  // logical; count 0 to 63

  Truth lt(Number a, Number b) { return a < b; }
  Truth le(Number a, Number b) { return a <= b; }
  Truth eq(Number a, Number b) { return a == b; }
  Truth ne(Number a, Number b) { return a != b; }  // true with NaN
  Truth eq(Integer a, Integer b) { return a == b; }
  Truth lt(Integer a, Integer b) { return a < b; }  // unsigned
  Truth both(Truth a, Truth b) { return a && b; }
  Truth either(Truth a, Truth b) { return a || b; }
  Truth negate(Truth a) { return !a; }

  Number select(Truth c, Number a, Number b) { return c ? a : b; }
  Integer select(Truth c, Integer a, Integer b) { return c ? a : b; }

  /// Entry `index` of a constant table; `index` is below its length.
  template <std::size_t N>
  Integer lookup(const std::uint64_t (&table)[N], Integer index) {
    return table[index];
  }
};

}  // namespace talweg::builtins
