// One run over any objective with everything a user sees of it: groups, log, progress, curve,
// summary. Runs on data and on test functions differ only in what they prepare and what they add at
// the end.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "runtime/train/loss_curve.h"
#include "runtime/train/problem.h"
#include "runtime/train/run_files.h"
#include "runtime/train/session.h"
#include "runtime/train/train_plan.h"

namespace talweg::train {

using RunClock = std::chrono::steady_clock;

/// What a run is made of; referred to, not owned.
struct RunInputs {
  const TrainSettings& settings;
  const TrainPlan& plan;
  const OptimizerFactory& make_optimizer;
  const Hooks& hooks;
  RunClock::time_point start;
  const ModelDescription* description = nullptr;  // null: a test function
};

/// Called with the report and the summary as far as they are, to add what only the caller knows
/// (counts, confusion, further files).
using RunEnding = std::function<support::Status(TrainReport&, Json& summary, RunFiles&)>;

/// Trains and writes the files. Failures as train().
support::Result<TrainReport> run_objective(const RunInputs& inputs, Objective& objective,
                                           TrainReport report, const RunEnding& ending);

}  // namespace talweg::train
