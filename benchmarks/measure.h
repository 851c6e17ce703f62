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

/// Seconds of one step of each subject: the median over `rounds`, in each of which every subject
/// runs a block of steps of about `block_seconds`, one after the other.
std::vector<std::optional<double>> interleaved_medians(const std::vector<Subject>& subjects,
                                                       int rounds, double block_seconds);

}  // namespace talweg::benchmarks
