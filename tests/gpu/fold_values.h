// Values to fold, and what their folds are compared by.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "runtime/gpu/fold_tables.h"

namespace talweg::gpu {

constexpr std::uint32_t kFolds[] = {TALWEG_FOLD_SUM, TALWEG_FOLD_MIN, TALWEG_FOLD_MAX};

/// Of NaN only that it is one.
inline bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

enum class Values { Plain, Zeros, Infinite, NotANumber };

/// Plain ones have such exponents that every order of addition rounds otherwise.
inline std::vector<double> make_values(std::size_t count, Values kind, std::uint32_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> number(-1, 1);
  std::vector<double> values(count);
  for (double& value : values) {
    value = std::ldexp(number(random), static_cast<int>(random() % 60));
    if (kind == Values::Zeros) value = random() % 2 == 0 ? -0.0 : 0.0;
    if (kind == Values::Infinite && random() % 64 == 0)
      value = std::numeric_limits<double>::infinity();
  }
  if (kind == Values::NotANumber && count > 0)
    values[random() % count] = std::numeric_limits<double>::quiet_NaN();
  return values;
}

/// Of results that are `stride` apart, over all tensors of a domain (or of all).
inline talweg_gpu_fold make_fold(std::uint32_t fold, const double* values, double* results,
                                 std::uint64_t stride = 1, std::uint32_t domain = TALWEG_NO_OWNER) {
  talweg_gpu_fold made{};
  made.fold = fold;
  made.values = values;
  made.results = results;
  made.stride = stride;
  made.value_stride = 1;
  made.copies = 1;
  made.domain = domain;
  return made;
}

}  // namespace talweg::gpu
