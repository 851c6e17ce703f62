#include "benchmarks/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace talweg::benchmarks {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Subject timed(std::function<void()> step) {
  return [step = std::move(step)](int repeats) -> std::optional<double> {
    const auto start = Clock::now();
    for (int i = 0; i < repeats; ++i) step();
    return seconds_since(start) / repeats;
  };
}

std::vector<std::optional<double>> interleaved_medians(const std::vector<Subject>& subjects,
                                                       const Effort& effort) {
  constexpr int kLeastRounds = 3;
  const auto start = Clock::now();
  std::vector<int> repeats;
  for (const Subject& subject : subjects) {
    subject(1);
    const double once = std::max(subject(1).value_or(effort.block_seconds), 1e-9);
    repeats.push_back(
        std::clamp(static_cast<int>(std::ceil(effort.block_seconds / once)), 1, 1'000'000));
  }
  std::vector<std::vector<double>> times(subjects.size());
  for (int round = 0; round < effort.most_rounds; ++round) {
    if (round >= kLeastRounds && seconds_since(start) > effort.seconds) break;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      // Brings its arrays back to the cache; those of a step that fills a block fit in none.
      if (repeats[i] > 1) subjects[i](1);
      if (const auto seconds = subjects[i](repeats[i])) times[i].push_back(*seconds);
    }
  }
  std::vector<std::optional<double>> medians;
  for (auto& values : times)
    medians.push_back(values.empty() ? std::nullopt : std::optional(median(std::move(values))));
  return medians;
}

}  // namespace talweg::benchmarks
