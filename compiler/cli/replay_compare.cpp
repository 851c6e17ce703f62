#include "compiler/cli/replay_compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace talweg::cli {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double error_of(double ours, double truth, double magnitude) {
  if (ours == truth || (std::isnan(ours) && std::isnan(truth))) return 0;
  const double error = std::abs(ours - truth) / magnitude;
  return std::isfinite(error) ? error : kInfinity;
}

}  // namespace

void Comparison::magnitude(std::size_t tensor, std::span<const double> values) {
  if (tensor >= magnitudes_.size()) magnitudes_.resize(tensor + 1, 0);
  for (const double value : values)
    if (std::isfinite(value)) magnitudes_[tensor] = std::max(magnitudes_[tensor], std::abs(value));
}

void Comparison::compare(std::uint64_t step, std::size_t tensor, std::span<const double> ours,
                         std::span<const double> truth) {
  magnitude(tensor, truth);
  compared_ += truth.size();
  if (ours.size() != truth.size()) {
    worst_ = {kInfinity, worst_.what, step, tensor, 0, 0, 0};
    return;
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double error = error_of(ours[i], truth[i], magnitudes_[tensor]);
    if (error > worst_.error) worst_ = {error, worst_.what, step, tensor, i, ours[i], truth[i]};
  }
}

}  // namespace talweg::cli
