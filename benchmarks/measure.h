// Times of several subjects in one run, interleaved, so that a noisy machine is as unkind to each.
#pragma once

#include <functional>
#include <optional>
#include <vector>

namespace talweg::benchmarks {

/// Runs `repeats` steps and gives the seconds of one; nothing if it cannot run.
using Subject = std::function<std::optional<double>(int repeats)>;

/// A subject that calls `step` and looks at the clock.
Subject timed(std::function<void()> step);

struct Effort {
  int most_rounds = 15;
  double seconds = 3;           // no further round after that, but at least three
  double block_seconds = 2e-3;  // of one subject in one round, about
};

/// The median; `values` must not be empty.
double median(std::vector<double> values);

/// Seconds of one step of each subject: the median over rounds, in each of which every subject runs
/// a block of steps, one after the other.
std::vector<std::optional<double>> interleaved_medians(const std::vector<Subject>& subjects,
                                                       const Effort& effort);

}  // namespace talweg::benchmarks
