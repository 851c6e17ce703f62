// Interleaved measurement: subjects run in turn, so that a machine that slows down slows all of
// them.
#pragma once

#include <functional>
#include <vector>

namespace talweg::benchmarks {

/// Runs every subject once a round, `rounds` times, each repeated until it takes `block_seconds` at
/// least (after one run that is not counted), and gives each subject's median seconds per run.
std::vector<double> interleaved_medians(const std::vector<std::function<void()>>& subjects,
                                        int rounds, double block_seconds);

}  // namespace talweg::benchmarks
