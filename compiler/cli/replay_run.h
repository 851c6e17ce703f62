// Runs a reference case through a compiled rule and measures how far it is from the truth.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/cli/replay_case.h"
#include "compiler/cli/replay_compare.h"
#include "compiler/cli/replay_rules.h"
#include "compiler/driver/compile.h"
#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/result.h"
#include "runtime/support/thread_pool.h"

namespace talweg::cli {

struct ReplayResult {
  std::vector<Worst> worst;    // the largest difference of each thing that was compared
  std::uint64_t compared = 0;  // numbers
  double tolerance = 0;
  [[nodiscard]] bool agrees() const;
};

/// What a case is run with. The program's compute type decides what it is compared with.
struct ReplayRun {
  std::shared_ptr<driver::Program> program;
  std::vector<NamedState> states;     // final states to compare (float64)
  std::vector<std::string> settings;  // texts of --set
  std::shared_ptr<support::ThreadPool> pool;
  optimizer::MakeCore make_core = {};  // of the place where steps run
};

/// Trajectories: parameters after every step and final states in float64; in float32 the parameters
/// of the steps that the case recorded in float32. Schedules and problems: float64. Failures: Usage
/// for a float32 program where the case has no float32 part, for a rule without the hypers, states
/// or inputs that the case needs, and for problems of an unknown kind; those of the optimizer.
support::Result<ReplayResult> replay(const ReplayCase& reference, const ReplayRun& run);

support::Result<ReplayResult> replay_trajectory(const ReplayCase& reference, const ReplayRun& run);
support::Result<ReplayResult> replay_schedule(const ReplayCase& reference, const ReplayRun& run);
support::Result<ReplayResult> replay_problem(const ReplayCase& reference, const ReplayRun& run);

/// Losses of a case as the rule asks for them in a step (from 0): `loss` is that of the step
/// itself, `validation_loss` was measured after the step before. Nothing for a case without losses.
optimizer::StepInputs loss_inputs(const talweg_image& image, std::span<const double> losses,
                                  std::size_t step);

/// Adds what was compared to a result.
void add(const Comparison& comparison, ReplayResult& result);

}  // namespace talweg::cli
