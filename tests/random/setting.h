// What a random rule is run on: tensors, groups, steps, and values for everything, hard ones among
// ordinary ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/types/compute_type.h"
#include "tests/random/choices.h"

namespace talweg::tests {

struct RandomTensor {
  std::uint64_t elements = 0;
  std::uint32_t group = 0;
  /// Of as many elements; empty: a vector, or something like one.
  std::vector<std::uint64_t> shape = {};
  /// Which dimensions are rows and columns, where not those that the rule says: of a talweg_split.
  std::uint32_t split = 0, split_at = 0, split_to = 0;
};

struct Setting {
  types::ComputeType compute = types::ComputeType::F32;
  std::vector<RandomTensor> tensors;
  std::uint32_t groups = 1;
  std::uint32_t steps = 1;
  std::uint64_t seed = 0;  // of all values
  bool is_large = false;   // several chunks, so that several threads have work
};

Setting draw_setting(Choices& choices);
std::string describe(const Setting& setting);

/// Elements repeat with this period, so that a large tensor's result is known from a small one's:
/// what an element becomes depends on nothing but its own values.
inline constexpr std::uint64_t kPeriod = 509;

/// The value at a place of something called `stream` (a hash of what it is).
double value_at(const Setting& setting, std::uint64_t stream, std::uint64_t element);
/// True in `percent` of all places.
bool chance_at(const Setting& setting, std::uint64_t stream, std::uint64_t place,
               std::uint32_t percent);

}  // namespace talweg::tests
