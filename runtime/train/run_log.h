// What the loop reports while it runs, sent to where it belongs: the log, the curve, the progress
// line and the caller's own hooks.
#pragma once

#include <vector>

#include "runtime/train/loop.h"
#include "runtime/train/loss_curve.h"
#include "runtime/train/progress.h"
#include "runtime/train/run_files.h"
#include "runtime/train/session.h"

namespace talweg::train {

class RunLog {
 public:
  RunLog(const TrainSettings& settings, const Hooks& hooks, RunFiles& files,
         const Objective& objective, std::uint64_t total_steps);

  /// Refer to this object.
  [[nodiscard]] LoopHooks loop_hooks();
  void finish_progress() { progress_.finish(); }
  [[nodiscard]] std::vector<CurvePoint> training_curve() const { return training_.points(); }
  [[nodiscard]] const std::vector<CurvePoint>& validation_curve() const { return validation_; }
  /// Nothing where none were measured.
  [[nodiscard]] const std::optional<RunNorms>& norms() const { return norms_; }

 private:
  void on_step(const StepRecord& record);
  void on_epoch(const EpochRecord& record);
  void on_norms(const StepNorms& norms);

  const TrainSettings& settings_;
  const Hooks& hooks_;
  RunFiles& files_;
  Progress progress_;
  LossCurve training_;
  std::vector<CurvePoint> validation_;
  std::vector<std::string> tensors_;
  std::optional<RunNorms> norms_;
};

}  // namespace talweg::train
