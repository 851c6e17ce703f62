// Numbers that numbers.mjs makes too, bit by bit: from 32-bit integers alone. Most are plain, one
// of sixteen is a zero, subnormal, tiny or large.
#pragma once

#include <bit>
#include <cstdint>

namespace talweg::tests {

inline std::uint32_t mixed(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

/// Bits of number `index` of stream `stream`: the exponent is `bias` for 1, and `fraction_bits` are
/// below it.
inline std::uint32_t number_bits(std::uint32_t stream, std::uint32_t index, std::uint32_t bias,
                                 std::uint32_t fraction_bits) {
  const std::uint32_t h = mixed(mixed(stream) + index);
  const std::uint32_t k = mixed(h ^ 0x9e3779b9u);
  const std::uint32_t choice = k >> 8;
  std::uint32_t exponent = bias - 1 - choice % 12;
  if (k % 64 == 0 || k % 64 == 1) exponent = 0;
  if (k % 64 == 2) exponent = 1 + choice % (bias / 3);
  if (k % 64 == 3) exponent = bias + choice % 40;
  const std::uint32_t fraction = k % 64 == 0 ? 0 : h & ((1u << fraction_bits) - 1);
  return (h & 0x80000000u) | (exponent << fraction_bits) | fraction;
}

inline void make_number(std::uint32_t stream, std::uint32_t index, float& number) {
  number = std::bit_cast<float>(number_bits(stream, index, 127, 23));
}

inline void make_number(std::uint32_t stream, std::uint32_t index, double& number) {
  const std::uint64_t high = number_bits(stream, index, 1023, 20);
  const std::uint64_t low = mixed(static_cast<std::uint32_t>(high));
  const bool is_zero = (high & 0x7fffffff) == 0;
  number = std::bit_cast<double>((high << 32) | (is_zero ? 0 : low));
}

/// Of a step's gradients, of its inputs, or (call 0) of the parameters of a tensor.
inline std::uint32_t stream_of(std::uint32_t call, std::uint32_t kind, std::uint32_t tensor) {
  return call * 1024 + kind * 64 + tensor;
}

}  // namespace talweg::tests
