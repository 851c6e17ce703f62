// Ctrl-C and termination as a flag.
#pragma once

#include <atomic>

namespace talweg::cli {

/// Handles SIGINT and SIGTERM while it lives; one at a time.
class InterruptGuard {
 public:
  enum class Repeated {
    EndsProcess,  // the first signal asks a run to end after its step, the second ends the process
    IsTheSame,  // every SIGINT only sets the flag (and interrupts a read); SIGTERM ends the process
  };
  explicit InterruptGuard(Repeated repeated = Repeated::EndsProcess);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  [[nodiscard]] const std::atomic<bool>& flag() const;
  /// True if there was a signal since the last call.
  bool take();
};

}  // namespace talweg::cli
