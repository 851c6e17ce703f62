#include "compiler/cli/measure_bandwidth.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace talweg::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBytes = std::size_t{256} << 20;  // of both arrays; beyond caches
constexpr std::chrono::milliseconds kDuration{200};

/// Two arrays of one thread, touched by it first.
class Work {
 public:
  explicit Work(std::size_t count) : from_(count, 1.0F), to_(count, 0.0F) {}
  void run() {
    const float* from = from_.data();
    float* to = to_.data();
    for (std::size_t i = 0; i < from_.size(); ++i) to[i] += from[i];
  }
  [[nodiscard]] double bytes() const {
    return 3.0 * sizeof(float) * static_cast<double>(from_.size());
  }

 private:
  std::vector<float> from_, to_;
};

/// Bytes a second of one thread.
double run_thread(std::size_t count) {
  Work work(count);
  const Clock::time_point begin = Clock::now();
  double bytes = 0;
  while (Clock::now() - begin < kDuration) {
    work.run();
    bytes += work.bytes();
  }
  return bytes / std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

double measure_bandwidth(unsigned threads) {
  const std::size_t count = std::max<std::size_t>(1, kBytes / 2 / sizeof(float) / threads);
  std::vector<double> speeds(threads);
  std::vector<std::thread> running;
  for (unsigned i = 1; i < threads; ++i)
    running.emplace_back([&, i] { speeds[i] = run_thread(count); });
  speeds[0] = run_thread(count);
  for (std::thread& thread : running) thread.join();
  double sum = 0;
  for (const double speed : speeds) sum += speed;
  return sum;
}

}  // namespace talweg::cli
