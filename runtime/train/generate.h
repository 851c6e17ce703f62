// Data made from a seed, for examples, tests and first steps without a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/table.h"

namespace talweg::train {

/// A specification as users write it after `generate:`: a kind, and `name=value` joined by `&`.
///   linear   n=100, noise=1, intercept=4, slope=3: x uniform in [0, 2), y = intercept + slope x +
///   noise z moons    n=400, noise=0.1: two interleaving half circles of radius 1, classes 0 and 1
///   spirals  n=600, classes=2, turns=1, noise=0.05: arms of radius up to 1
/// with z and the noise normal. Rows of classes alternate.
struct GenerateSpec {
  enum class Kind { Linear, Moons, Spirals };
  Kind kind = Kind::Linear;
  std::uint32_t n = 100;
  double noise = 0;
  double intercept = 4, slope = 3;  // linear
  std::uint32_t classes = 2;        // spirals
  double turns = 1;                 // spirals
};

inline constexpr std::string_view kGeneratePrefix = "generate:";

/// `text` without the prefix. Refused (Usage): unknown kinds and names (with a suggestion), n of 0
/// or above ten million, values that are not finite.
support::Result<GenerateSpec> parse_generate_spec(std::string_view text);

/// Deterministic by `seed`. The target is `y` (numbers for linear, classes otherwise).
Table generate(const GenerateSpec& spec, std::uint64_t seed);

}  // namespace talweg::train
