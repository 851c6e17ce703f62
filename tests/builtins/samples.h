// Arguments for the tests of functions: the same ones in every run.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace talweg::builtins::tests {

/// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// From low to high, evenly.
  double even(double low, double high) {
    return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53);
  }
  /// From low to high, both positive, with evenly spread logarithm.
  double spread(double low, double high) { return std::exp(even(std::log(low), std::log(high))); }
  double any_double() { return std::bit_cast<double>(bits()); }
  float any_float() { return std::bit_cast<float>(static_cast<std::uint32_t>(bits() >> 32)); }

 private:
  std::uint64_t state_;
};

/// Zeros, units, subnormals, the ends of the range, infinities, NaN and their neighbours.
inline std::vector<double> special_doubles() {
  std::vector<double> values;
  const double bases[] = {0,
                          0x1p-1074,
                          0x1p-1022,
                          0x1p-60,
                          0x1p-53,
                          0x1p-27,
                          0.5,
                          1,
                          1.5,
                          2,
                          3,
                          0x1p52,
                          0x1p53,
                          0x1p63,
                          0x1p100,
                          0x1p1023,
                          709.78,
                          745.13,
                          0x1.fffffffffffffp1023,
                          INFINITY};
  for (const double base : bases)
    for (const double near : {std::nextafter(base, 0.0), base, std::nextafter(base, INFINITY)}) {
      values.push_back(near);
      values.push_back(-near);
    }
  values.push_back(NAN);
  return values;
}

}  // namespace talweg::builtins::tests
