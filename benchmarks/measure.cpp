#include "benchmarks/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace talweg::benchmarks {

namespace {

double seconds_of(const std::function<void()>& subject, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) subject();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / repeats;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<double> interleaved_medians(const std::vector<std::function<void()>>& subjects,
                                        int rounds, double block_seconds) {
  std::vector<int> repeats;
  for (const auto& subject : subjects) {
    subject();
    const double once = std::max(seconds_of(subject, 1), 1e-9);
    repeats.push_back(std::clamp(static_cast<int>(std::ceil(block_seconds / once)), 1, 1'000'000));
  }
  std::vector<std::vector<double>> times(subjects.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      subjects[i]();  // brings its arrays back to the cache
      times[i].push_back(seconds_of(subjects[i], repeats[i]));
    }
  }
  std::vector<double> medians;
  medians.reserve(times.size());
  for (auto& values : times) medians.push_back(median(std::move(values)));
  return medians;
}

}  // namespace talweg::benchmarks
