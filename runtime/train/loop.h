// The training loop: batches in order, gradient, optimizer step, validation, early stopping, and
// why it ended. `talweg train`, replays of reference problems and C++ programs all run this one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/result.h"
#include "runtime/train/objective.h"
#include "runtime/train/parameter_copy.h"
#include "runtime/train/tensor_norms.h"

namespace talweg::train {

enum class Shuffle { None, Once, EveryEpoch };

/// EpochEnds: the first step of a run and the last one of each epoch.
enum class NormsIn { NoStep, EpochEnds, EveryStep };

struct LoopSettings {
  std::uint64_t epochs = 1;
  std::uint64_t max_steps = 0;  // 0: no limit
  std::uint64_t batch = 0;      // samples a step; 0: a whole epoch
  std::uint64_t seed = 1;       // of the shuffles
  Shuffle shuffle = Shuffle::EveryEpoch;
  /// Given orders: epoch e (from 0) walks order[e % order.size()], which may leave out or repeat
  /// samples. Not empty: `shuffle` is not looked at.
  std::vector<std::vector<std::uint32_t>> order;
  bool drop_last = false;
  std::vector<bool> frozen;    // per tensor; empty: none. A frozen tensor is given no gradient
  std::uint64_t patience = 0;  // epochs without a better loss; 0: no early stopping
  double min_delta = 0;
  bool restore_best = true;
  /// A view of the rule that is validated, watched and given back in place of the parameters;
  /// empty: none. Gradients are still those of the parameters.
  std::string view;
  NormsIn norms = NormsIn::NoStep;
};

struct StepRecord {
  std::uint64_t step = 0;   // from 1
  std::uint64_t epoch = 0;  // from 1
  std::uint32_t samples = 0;
  double loss = 0;  // of this batch, before the update
};

struct EpochRecord {
  std::uint64_t epoch = 0;  // from 1
  std::uint64_t step = 0;   // completed so far
  double running_loss = 0;  // mean of the batch losses by samples, each taken before its update
  std::optional<double> validation_loss, validation_accuracy;  // after the epoch
  bool is_best = false;  // lowest watched loss so far (validation; the running loss without one)
};

struct LoopTimes {
  double gradient_seconds = 0, optimizer_seconds = 0, validation_seconds = 0, total_seconds = 0;
  [[nodiscard]] double optimizer_share() const {
    return total_seconds > 0 ? optimizer_seconds / total_seconds : 0;
  }
};

enum class StopCause { Finished, StepLimit, EarlyStopping, Interrupted, NotFinite };

struct LoopHooks {
  const std::atomic<bool>* stop = nullptr;
  /// After the update of the step; the parameters are the new ones.
  std::function<void(const StepRecord&)> on_step;
  std::function<void(const EpochRecord&)> on_epoch;
  /// In the steps that LoopSettings::norms says, before on_step; also of an update that made a
  /// parameter infinite or NaN and so ends the run, which has no on_step.
  std::function<void(const StepNorms&)> on_norms;
};

struct LoopOutcome {
  StopCause cause = StopCause::Finished;
  std::string reason;                   // NotFinite: which step, which value, what to try
  std::uint64_t steps = 0, epochs = 0;  // done
  std::uint64_t held = 0, skipped = 0;  // of these steps, by the rule: its `t` counts the others
  std::uint64_t extra_evaluations = 0;  // gradients that rules asked for beyond one a step
  std::optional<double> first_loss, last_loss;
  std::optional<std::uint64_t> best_epoch;
  std::optional<double> best_loss;
  bool restored_best = false;
  /// With LoopSettings::view: the view at the end, or of the best epoch where that was restored.
  /// The objective holds the parameters themselves. Nothing where the view is not finite.
  std::optional<ParameterCopy> view;
  LoopTimes times;
};

/// Runs. The optimizer's tensors must be the objective's parameters in order. Model inputs that the
/// rule declares are given by name: `loss` (this batch's, before the update, every step) and
/// `validation_loss` (once, in the first step after an epoch that measured it; where the rule holds
/// or skips that step without reading it, in the next one).
///
/// A step of the loop is one batch and one call of the optimizer, whether the rule completes, holds
/// or skips it: max_steps, records and epochs count calls. So a rule that gathers the gradients of
/// 4 batches moves in every fourth step, and one that skips every step comes to an end.
///
/// Where a rule moves the parameters and asks for another gradient there, it is computed on the
/// same batch, within the step; the loss of the step is the first one, and so are the gradients of
/// NormsIn. A loss there that is not finite ends the run in NotFinite, with the step undone. So
/// does a failure, or an exception of the objective.
///
/// A loss that is not finite stops before the optimizer sees its gradient; a parameter that stops
/// being finite in an update is put back, all tensors with it, to before the step. Both end in
/// NotFinite, and the parameters are those of before. Failures: those of Optimizer::step; Usage for
/// an order out of range or a view that the rule does not have.
support::Result<LoopOutcome> run_loop(Objective& objective, optimizer::Optimizer& optimizer,
                                      const LoopSettings& settings, const LoopHooks& hooks = {});

/// The tensors of an objective as an optimizer takes them; groups[i] is the group of tensor i
/// (empty: 0).
std::vector<optimizer::Tensor> optimizer_tensors(const Objective& objective,
                                                 std::span<const std::uint32_t> groups = {});

/// `finished`, `step limit`, ... for summaries.
std::string_view stop_cause_name(StopCause cause);

}  // namespace talweg::train
