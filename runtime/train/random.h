// Counter-based random numbers: every number is a function of (seed, purpose, stream, index), so
// shuffles, splits, initial weights and generated data never depend on each other or on the order
// of calls.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace talweg::train {

/// Philox 4x32 with 10 rounds (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1,
/// 2, 3", SC 2011): 128 bits from a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

/// What numbers are drawn for. The values are part of the definition: changing one changes runs.
enum class RandomPurpose : std::uint32_t { Split = 1, Shuffle = 2, Weights = 3, Data = 4 };

/// The sequence of one (seed, purpose, stream). Block i is philox({i low, i high, stream, purpose},
/// {seed low, seed high}); its words are taken in order.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint32_t stream);

  std::uint32_t bits32();
  /// The first word drawn is the low half.
  std::uint64_t bits64();
  /// In [0, 1), a multiple of 2^-53.
  double uniform();
  /// In [0, bound), every value equally likely (multiply and reject); bound at least 1.
  std::uint32_t below(std::uint32_t bound);
  /// Mean 0, deviation 1, by Box and Muller's cosine form from two uniforms. Uses the C library's
  /// log and cosine, so the last bit may differ between systems.
  double normal();

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::uint32_t used_ = 4;
};

/// 0, 1, ..., count - 1.
std::vector<std::uint32_t> sequence(std::uint32_t count);
/// Puts `values` in an order drawn from `random` (Fisher and Yates, from the end): all equally
/// likely.
void shuffle(std::span<std::uint32_t> values, RandomStream& random);

}  // namespace talweg::train
