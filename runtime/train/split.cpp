// Held-out rows by a counter-based shuffle, or by counting.
#include "runtime/train/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/train/number_text.h"
#include "runtime/train/random.h"

namespace talweg::train {
namespace {

constexpr std::string_view kEveryPrefix = "every:";

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

Split split_every(std::uint32_t every, std::uint32_t rows) {
  Split split;
  for (std::uint32_t row = 0; row < rows; ++row) {
    ((row + 1) % every == 0 ? split.validation : split.training).push_back(row);
  }
  return split;
}

Split split_fraction(double fraction, std::uint32_t rows, std::uint64_t seed) {
  std::vector<std::uint32_t> order = sequence(rows);
  RandomStream random(seed, RandomPurpose::Split, 0);
  shuffle(order, random);
  const auto held_out = static_cast<std::ptrdiff_t>(std::llround(fraction * rows));
  Split split;
  split.validation.assign(order.begin(), order.begin() + held_out);
  split.training.assign(order.begin() + held_out, order.end());
  std::sort(split.validation.begin(), split.validation.end());
  std::sort(split.training.begin(), split.training.end());
  return split;
}

}  // namespace

support::Result<SplitSpec> parse_split_spec(std::string_view text) {
  if (text.starts_with(kEveryPrefix)) {
    const auto every = parse_count(text.substr(kEveryPrefix.size()));
    if (every && *every >= 2 && *every <= UINT32_MAX) {
      return SplitSpec{0, static_cast<std::uint32_t>(*every)};
    }
  } else if (const auto fraction = parse_number(text);
             fraction && *fraction >= 0 && *fraction < 1) {
    return SplitSpec{*fraction, 0};
  }
  return usage(
      fmt::format("--validation is a fraction from 0 up to but not including 1 (0.2), or each "
                  "k-th row (every:5, k at least 2), not `{}`",
                  text));
}

support::Result<Split> split_rows(const SplitSpec& spec, std::uint32_t rows, std::uint64_t seed) {
  if (spec.every == 0 && spec.fraction == 0) return Split{sequence(rows), {}};
  Split split =
      spec.every > 0 ? split_every(spec.every, rows) : split_fraction(spec.fraction, rows, seed);
  if (split.training.empty() || split.validation.empty()) {
    return usage(
        fmt::format("{} rows are too few for this validation part: {} to train on, {} held out",
                    rows, split.training.size(), split.validation.size()));
  }
  return split;
}

}  // namespace talweg::train
