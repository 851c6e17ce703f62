// One held-out part of the data: chosen before anything is fitted, the same for the same seed.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/support/result.h"

namespace talweg::train {

struct SplitSpec {
  double fraction = 0;      // of the rows, by a seeded shuffle; 0: none
  std::uint32_t every = 0;  // each `every`-th row, counted from the first; 0: by fraction
};

struct Split {
  std::vector<std::uint32_t> training, validation;  // row numbers, rising
};

/// `0`, a fraction below 1 (`0.2`), or `every:5`.
support::Result<SplitSpec> parse_split_spec(std::string_view text);

/// By fraction, round(fraction * rows) rows are held out. Refused (Usage): a split that leaves a
/// part empty although one was asked for.
support::Result<Split> split_rows(const SplitSpec& spec, std::uint32_t rows, std::uint64_t seed);

}  // namespace talweg::train
