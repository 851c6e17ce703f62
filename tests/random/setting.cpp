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

/// Around the lanes of loops and the rows of a block.
constexpr std::uint64_t kRows[] = {2,  1,  3,  4,  5,  7,  8,   9,   16,  17, 31,
                                   33, 63, 64, 65, 66, 97, 127, 129, 193, 0};
constexpr std::uint64_t kCols[] = {3,  1,  2,  4,  5,  7,  8,  9,   15,  16,
                                   17, 31, 32, 33, 47, 64, 65, 100, 129, 257};
constexpr std::uint64_t kMostElements = 3000;
/// Of which chunks end within rows, within columns and between them.
constexpr std::uint64_t kLargeShapes[][2] = {{129, 128},
                                             {TALWEG_CHUNK_ELEMENTS / 2 + 1, 2},
                                             {2, TALWEG_CHUNK_ELEMENTS / 2 + 1},
                                             {65, 300},
                                             {17, 1025}};

std::uint64_t product(const std::vector<std::uint64_t>& shape) {
  std::uint64_t elements = 1;
  for (const std::uint64_t extent : shape) elements *= extent;
  return elements;
}

/// Rows and columns, with a third dimension about them more often than not.
std::vector<std::uint64_t> draw_shape(Choices& choices, bool is_large) {
  const auto& large = choices.one_of(kLargeShapes);
  std::uint64_t rows = choices.one_of(kRows);
  std::uint64_t cols = choices.one_of(kCols);
  if (rows * cols > kMostElements) (rows > cols ? cols : rows) %= 16;
  if (is_large) rows = large[0], cols = large[1];
  const std::uint64_t more = is_large ? 1 : 1 + choices.below(3);
  switch (choices.weighted({4, 2, 2, 2, 1})) {
    case 0:
      return {rows, cols};
    case 1:
      return {more, rows, cols};
    case 2:
      return {rows, more, cols};
    case 3:
      return {rows, cols, more};
    default:
      return {more, rows, 2, cols};
  }
}

/// Sometimes another split than the rule's.
void draw_split(Choices& choices, RandomTensor& tensor) {
  const bool is_own = choices.chance(10);
  const bool is_pair = choices.chance(50);
  const auto dimensions = static_cast<std::uint32_t>(tensor.shape.size());
  if (dimensions < 2) return;
  const std::uint32_t first = choices.below(dimensions - 1);
  const std::uint32_t second = first + 1 + choices.below(dimensions - 1 - first);
  if (!is_own) return;
  tensor.split = is_pair ? TALWEG_SPLIT_PAIR : TALWEG_SPLIT_AT;
  tensor.split_at = is_pair ? first : first + 1;
  if (is_pair) tensor.split_to = second;
}

}  // namespace

Setting draw_setting(Choices& choices) {
  const Choices::Part whole(choices);
  Setting setting;
  setting.compute = choices.chance(50) ? types::ComputeType::F64 : types::ComputeType::F32;
  setting.steps = 1 + choices.below(4);
  setting.groups = 1 + choices.below(3);
  setting.is_large = choices.chance(6);
  setting.seed = choices.below(1u << 30);
  const bool only_matrices = choices.chance(40);
  const std::uint32_t count = 1 + choices.below(4);
  for (std::uint32_t i = 0; i < 4; ++i) {  // always as many choices, so that edits stay in place
    const Choices::Part part(choices);
    const bool is_long = choices.chance(4);
    const std::uint64_t length = choices.one_of(kLengths);
    const std::uint64_t long_length = choices.one_of(kLongLengths);
    const std::uint64_t large_length = choices.one_of(kLargeLengths);
    const std::uint32_t group = choices.below(3);
    const bool is_matrix = choices.chance(50) || only_matrices;
    RandomTensor tensor{is_long ? long_length : length, group % setting.groups};
    const bool is_large = setting.is_large && i < 2;
    if (is_large) tensor.elements = large_length;
    const auto shape = draw_shape(choices, is_large);
    if (is_matrix) {
      tensor.shape = shape;
      tensor.elements = product(shape);
    }
    draw_split(choices, tensor);
    if (i < count) setting.tensors.push_back(tensor);
  }
  return setting;
}

std::string describe(const Setting& setting) {
  std::string text =
      fmt::format("{}, {} steps, {} groups, values of seed {}; tensors of",
                  types::to_text(setting.compute), setting.steps, setting.groups, setting.seed);
  for (const RandomTensor& tensor : setting.tensors)
    text += fmt::format(" {} (group {}{})",
                        tensor.shape.empty() ? std::to_string(tensor.elements)
                                             : fmt::format("{}", fmt::join(tensor.shape, "x")),
                        tensor.group,
                        tensor.split == TALWEG_SPLIT_NONE
                            ? ""
                            : fmt::format(", split {} at {} to {}", tensor.split, tensor.split_at,
                                          tensor.split_to));
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
