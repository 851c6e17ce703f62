// Ctrl-C and termination as a flag: the first asks the run to end after its step, the second ends
// the process.
#pragma once

#include <atomic>

namespace talweg::cli {

/// Handles SIGINT and SIGTERM while it lives; one at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  [[nodiscard]] const std::atomic<bool>& flag() const;
};

}  // namespace talweg::cli
