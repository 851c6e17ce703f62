// Sums of float64 values and of their products without any rounding: what results of reductions are
// compared with.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace talweg::tests {

/// An integer in units of 2^-2176, wide enough for 2^60 values or products of any magnitude.
class ExactSum {
 public:
  /// A finite value.
  void add(double value) {
    if (value != 0) add_scaled(value, 0);
  }
  /// a * b; exact for all finite a and b, since nothing is rounded to float64 in between.
  void add_product(double a, double b) {
    if (a == 0 || b == 0) return;
    int exponent_a = 0, exponent_b = 0;
    const double high_a = std::frexp(a, &exponent_a);
    const double high_b = std::frexp(b, &exponent_b);
    const double product = high_a * high_b;  // from 1/4 to 1, and so is its error normal
    add_scaled(product, exponent_a + exponent_b);
    const double error = std::fma(high_a, high_b, -product);
    if (error != 0) add_scaled(error, exponent_a + exponent_b);
  }
  /// The sum, nearly: with a relative error of about 2^-50.
  [[nodiscard]] double value() const {
    ExactSum copy = *this;
    copy.carry();
    const bool is_negative = copy.limbs_.back() < 0;
    if (is_negative) {
      for (std::int64_t& limb : copy.limbs_) limb = -limb;
      copy.carry();
    }
    double result = 0;
    for (std::size_t i = 0; i < kLimbs; ++i)
      result += std::ldexp(static_cast<double>(copy.limbs_[i]), static_cast<int>(32 * i) - kUnit);
    return is_negative ? -result : result;
  }

 private:
  static constexpr int kUnit = 2176;  // 2 * 1074 and more
  static constexpr std::size_t kLimbs = 140;

  /// value * 2^exponent.
  void add_scaled(double value, int exponent) {
    int own_exponent = 0;
    const auto mantissa =
        static_cast<std::int64_t>(std::ldexp(std::frexp(value, &own_exponent), 53));
    const int place = own_exponent + exponent - 53 + kUnit;
    const auto limb = static_cast<std::size_t>(place / 32);
    __extension__ typedef __int128 Wide;
    const Wide shifted = static_cast<Wide>(mantissa) * (std::int64_t{1} << (place % 32));
    const bool is_negative = shifted < 0;
    const Wide magnitude = is_negative ? -shifted : shifted;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto part = static_cast<std::int64_t>((magnitude >> (32 * i)) & 0xFFFFFFFF);
      limbs_[limb + i] += is_negative ? -part : part;
    }
    if (++pending_ == 1U << 30) carry();
  }

  /// Brings all limbs but the last to [0, 2^32).
  void carry() {
    for (std::size_t i = 0; i + 1 < kLimbs; ++i) {
      const std::int64_t over = limbs_[i] >> 32;
      limbs_[i] -= over * (std::int64_t{1} << 32);
      limbs_[i + 1] += over;
    }
    pending_ = 0;
  }

  std::array<std::int64_t, kLimbs> limbs_{};
  std::uint32_t pending_ = 0;
};

}  // namespace talweg::tests
