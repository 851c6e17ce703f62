#include "tests/random/setting.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "runtime/abi/talweg_abi.h"

namespace talweg::tests {

namespace {

/// Around every length at which a loop changes: lanes of all targets, unrolled bodies, segments.
constexpr std::uint64_t kLengths[] = {1,  0,  2,  3,  4,  5,  7,  8,   9,   15,  16,  17, 31,
                                      32, 33, 47, 63, 64, 65, 96, 100, 127, 129, 255, 257};
constexpr std::uint64_t kLongLengths[] = {TALWEG_SEGMENT_ELEMENTS - 1, TALWEG_SEGMENT_ELEMENTS,
                                          TALWEG_SEGMENT_ELEMENTS + 1,
                                          2 * TALWEG_SEGMENT_ELEMENTS + 1};
constexpr std::uint64_t kLargeLengths[] = {TALWEG_CHUNK_ELEMENTS - 1, TALWEG_CHUNK_ELEMENTS,
                                           TALWEG_CHUNK_ELEMENTS + 1, 2 * TALWEG_CHUNK_ELEMENTS + 1,
                                           3 * TALWEG_CHUNK_ELEMENTS};

}  // namespace

Setting draw_setting(Choices& choices) {
  const Choices::Part whole(choices);
  Setting setting;
  setting.compute = choices.chance(50) ? types::ComputeType::F64 : types::ComputeType::F32;
  setting.steps = 1 + choices.below(4);
  setting.groups = 1 + choices.below(3);
  setting.is_large = choices.chance(10);
  setting.seed = choices.below(1u << 30);
  const std::uint32_t count = 1 + choices.below(4);
  for (std::uint32_t i = 0; i < 4; ++i) {  // always as many choices, so that edits stay in place
    const Choices::Part part(choices);
    const bool is_long = choices.chance(4);
    const std::uint64_t length = choices.one_of(kLengths);
    const std::uint64_t long_length = choices.one_of(kLongLengths);
    const std::uint64_t large_length = choices.one_of(kLargeLengths);
    const std::uint32_t group = choices.below(3);
    if (i >= count) continue;
    RandomTensor tensor{is_long ? long_length : length, group % setting.groups};
    if (setting.is_large && i < 3) tensor.elements = large_length;
    setting.tensors.push_back(tensor);
  }
  return setting;
}

std::string describe(const Setting& setting) {
  std::string text =
      fmt::format("{}, {} steps, {} groups, values of seed {}; tensors of",
                  types::to_text(setting.compute), setting.steps, setting.groups, setting.seed);
  for (const RandomTensor& tensor : setting.tensors)
    text += fmt::format(" {} (group {})", tensor.elements, tensor.group);
  return text;
}

double value_at(const Setting& setting, std::uint64_t stream, std::uint64_t element) {
  using Double = std::numeric_limits<double>;
  using Float = std::numeric_limits<float>;
  static constexpr double kHard[] = {0.0,
                                     -0.0,
                                     1.0,
                                     -1.0,
                                     0.5,
                                     2.0,
                                     -4.0,
                                     0x1p-10,
                                     1024.0,
                                     3.0,
                                     -2.5,
                                     Float::min(),
                                     -Float::min(),
                                     Float::denorm_min(),
                                     -1e-40,
                                     Float::max(),
                                     -Float::max(),
                                     1e38,
                                     1e-38,
                                     -1e39,
                                     Double::min(),
                                     Double::denorm_min(),
                                     -1e-310,
                                     1e300,
                                     1e-300,
                                     Double::max(),
                                     Double::infinity(),
                                     -Double::infinity(),
                                     Double::quiet_NaN()};
  const std::uint64_t random =
      counter_random(counter_random(setting.seed, stream), element % kPeriod);
  const std::uint64_t kind = random % 16;
  if (kind < 2) return kHard[(random >> 8) % std::size(kHard)];
  const double fraction = static_cast<double>(random >> 11) * 0x1p-52 - 1;
  if (kind < 13) return fraction * 4;
  return std::ldexp(fraction, static_cast<int>((random >> 4) % 280) - 140);
}

bool chance_at(const Setting& setting, std::uint64_t stream, std::uint64_t place,
               std::uint32_t percent) {
  return counter_random(counter_random(setting.seed, stream), place) % 100 < percent;
}

}  // namespace talweg::tests
