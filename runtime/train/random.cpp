// Philox, and the draws made from its words.
#include "runtime/train/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace talweg::train {
namespace {

constexpr std::uint32_t kRounds = 10;
constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;  // the golden ratio
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;  // sqrt(3) - 1

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); }

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) {
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1),
               high(product0) ^ counter[3] ^ key[1], low(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint32_t stream)
    : key_{low(seed), high(seed)}, counter_{0, 0, stream, static_cast<std::uint32_t>(purpose)} {}

std::uint32_t RandomStream::bits32() {
  if (used_ == block_.size()) {
    block_ = philox(counter_, key_);
    used_ = 0;
    if (++counter_[0] == 0) ++counter_[1];
  }
  return block_[used_++];
}

std::uint64_t RandomStream::bits64() {
  const std::uint64_t low_half = bits32();
  return low_half | (std::uint64_t{bits32()} << 32U);
}

double RandomStream::uniform() { return static_cast<double>(bits64() >> 11U) * 0x1p-53; }

std::uint32_t RandomStream::below(std::uint32_t bound) {
  const std::uint32_t rejected = (0U - bound) % bound;  // 2^32 mod bound
  for (;;) {
    const std::uint64_t product = std::uint64_t{bits32()} * bound;
    if (low(product) >= rejected) return high(product);
  }
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::uint32_t> sequence(std::uint32_t count) {
  std::vector<std::uint32_t> values(count);
  std::iota(values.begin(), values.end(), 0U);
  return values;
}

void shuffle(std::span<std::uint32_t> values, RandomStream& random) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[random.below(static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace talweg::train
