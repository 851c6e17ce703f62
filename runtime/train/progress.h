// What a person sees while a run goes on: one line redrawn on a terminal, a few plain lines
// elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/train/loop.h"
#include "runtime/train/session.h"

namespace talweg::train {

class Progress {
 public:
  /// `steps` as far as they can be known: epochs times batches, within the step limit.
  Progress(const Hooks& hooks, std::uint64_t epochs, std::uint64_t steps);

  void on_step(const StepRecord& record);
  void on_epoch(const EpochRecord& record);
  /// Ends the line on a terminal.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  void redraw();
  [[nodiscard]] std::string line() const;
  [[nodiscard]] std::string bar() const;
  [[nodiscard]] std::string time_left() const;

  const Hooks& hooks_;
  std::uint64_t epochs_, steps_;
  StepRecord last_step_;
  std::optional<EpochRecord> last_epoch_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_;
  bool has_drawn_ = false;
  std::uint64_t lines_ = 0;
};

}  // namespace talweg::train
