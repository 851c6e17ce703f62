// The loop itself: epochs of steps, with the clock running over each part.
#include "runtime/train/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string_view>

#include "runtime/train/batches.h"

namespace talweg::train {
namespace {

using Clock = std::chrono::steady_clock;

/// Adds the time until the end of its scope.
class Timed {
 public:
  explicit Timed(double& seconds) : seconds_(seconds), start_(Clock::now()) {}
  ~Timed() { seconds_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  double& seconds_;
  Clock::time_point start_;
};

/// As people read it: the sign of a NaN says nothing.
std::string value_text(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.6g}", value);
}

bool declares_input(const talweg_image& image, std::string_view name) {
  return std::any_of(image.inputs, image.inputs + image.input_count, [&](const auto& input) {
    return input.rate == TALWEG_RATE_MODEL && name == input.name;
  });
}

/// However it is left, no step waits for a gradient after it, with parameters that it has moved.
class NoneWaits {
 public:
  explicit NoneWaits(optimizer::Optimizer& optimizer) : optimizer_(optimizer) {}
  ~NoneWaits() { optimizer_.abandon(); }
  NoneWaits(const NoneWaits&) = delete;
  NoneWaits& operator=(const NoneWaits&) = delete;

 private:
  optimizer::Optimizer& optimizer_;
};

class Loop {
 public:
  Loop(Objective& objective, optimizer::Optimizer& optimizer, const LoopSettings& settings,
       const LoopHooks& hooks, BatchPlan batches);
  support::Result<LoopOutcome> run();

 private:
  /// What ends the run, if anything does.
  using Next = support::Result<std::optional<StopCause>>;

  Next run_epoch();
  Next run_step(std::span<const std::uint32_t> samples, bool ends_epoch);
  Next update(std::span<const std::uint32_t> samples, double loss);
  /// Gradients where the rule has moved the parameters; nothing ends the run where they are to be
  /// given to the step that waits for them.
  std::optional<StopCause> compute_again(std::span<const std::uint32_t> samples, double loss);
  void count(optimizer::StepOutcome step);
  void measure(bool is_end);
  Next end_epoch(double running_loss);
  support::Status validate(EpochRecord& record);
  Next watch(double loss, EpochRecord& record);
  /// The view as it is now; nothing in `copy` where it is not finite.
  support::Status take_view(std::optional<ParameterCopy>& copy);
  support::Status end_view();
  StopCause loss_not_finite(double loss);
  StopCause moved_loss_not_finite(double moved, double loss);
  StopCause parameters_not_finite(const NotFiniteElement& found, double loss);
  [[nodiscard]] bool is_interrupted() const {
    return hooks_.stop != nullptr && hooks_.stop->load(std::memory_order_relaxed);
  }

  Objective& objective_;
  optimizer::Optimizer& optimizer_;
  const LoopSettings& settings_;
  const LoopHooks& hooks_;
  BatchPlan batches_;
  LoopOutcome outcome_;
  std::vector<std::vector<std::byte>> gradient_memory_;
  std::vector<void*> gradients_;                         // written by the objective
  std::vector<std::vector<std::byte>> first_gradients_;  // of a step that computed others, if asked
  bool computed_again_ = false;                          // in this step
  std::vector<const void*> given_gradients_;             // null where frozen
  std::vector<const void*> parameter_pointers_;
  ParameterCopy before_, best_;
  std::optional<ParameterCopy> best_view_;
  const bool gives_loss_, gives_validation_loss_;
  std::optional<double> new_validation_loss_;
  std::uint64_t epochs_without_better_ = 0;
};

Loop::Loop(Objective& objective, optimizer::Optimizer& optimizer, const LoopSettings& settings,
           const LoopHooks& hooks, BatchPlan batches)
    : objective_(objective),
      optimizer_(optimizer),
      settings_(settings),
      hooks_(hooks),
      batches_(std::move(batches)),
      gives_loss_(declares_input(optimizer.image(), "loss")),
      gives_validation_loss_(declares_input(optimizer.image(), "validation_loss")) {
  const auto parameters = objective.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // One element at least: a tensor without elements still has a gradient.
    gradient_memory_.emplace_back(std::max<std::uint64_t>(1, parameters[i].elements) *
                                  element_bytes(objective.dtype()));
    gradients_.push_back(gradient_memory_.back().data());
    const bool is_frozen = i < settings.frozen.size() && settings.frozen[i];
    given_gradients_.push_back(is_frozen ? nullptr : gradients_.back());
    parameter_pointers_.push_back(parameters[i].data);
  }
}

Loop::Next Loop::update(std::span<const std::uint32_t> samples, double loss) {
  optimizer::StepInputs inputs;
  if (gives_loss_) inputs.model.emplace_back("loss", loss);
  if (gives_validation_loss_ && new_validation_loss_)
    inputs.model.emplace_back("validation_loss", *new_validation_loss_);
  const NoneWaits none_waits(optimizer_);
  computed_again_ = false;
  for (;;) {
    const auto stepped = [&] {
      const Timed timed(outcome_.times.optimizer_seconds);
      return optimizer_.step(given_gradients_, inputs);
    }();
    if (!stepped) return stepped.failure();
    if (*stepped == optimizer::StepOutcome::Regrad) {
      if (const auto cause = compute_again(samples, loss)) return cause;
      continue;
    }
    // A call that was held or skipped before a stage could look at it leaves it for the next one.
    if (*stepped == optimizer::StepOutcome::Completed || optimizer_.has_read("validation_loss"))
      new_validation_loss_.reset();
    count(*stepped);
    return std::optional<StopCause>{};
  }
}

std::optional<StopCause> Loop::compute_again(std::span<const std::uint32_t> samples, double loss) {
  if (!computed_again_ && settings_.norms != NormsIn::NoStep) first_gradients_ = gradient_memory_;
  computed_again_ = true;
  const Timed timed(outcome_.times.gradient_seconds);
  const double moved = objective_.loss_and_gradient(samples, gradients_);
  ++outcome_.extra_evaluations;
  if (std::isfinite(moved)) return std::nullopt;
  return moved_loss_not_finite(moved, loss);
}

void Loop::count(optimizer::StepOutcome step) {
  switch (step) {
    case optimizer::StepOutcome::Completed:
    case optimizer::StepOutcome::Regrad:  // not how a step ends
      break;
    case optimizer::StepOutcome::Held:
      ++outcome_.held;
      break;
    case optimizer::StepOutcome::Skipped:
      ++outcome_.skipped;
      break;
  }
}

StopCause Loop::loss_not_finite(double loss) {
  outcome_.reason = fmt::format("step {} (epoch {}): the loss is {}", outcome_.steps + 1,
                                outcome_.epochs + 1, value_text(loss));
  if (outcome_.last_loss) {
    outcome_.reason += fmt::format(
        "; it was {} a step before. The steps are likely too large: lower the learning rate, "
        "clip the gradient or scale the features",
        value_text(*outcome_.last_loss));
  } else {
    outcome_.reason +=
        " before any update: look at the data's range and the start values, or scale the features";
  }
  return StopCause::NotFinite;
}

StopCause Loop::moved_loss_not_finite(double moved, double loss) {
  outcome_.reason = fmt::format(
      "step {} (epoch {}): the loss is {} where the rule moved the parameters for another "
      "gradient; it was {} where it moved them from. The rule moves them too far, or the steps "
      "are too large",
      outcome_.steps + 1, outcome_.epochs + 1, value_text(moved), value_text(loss));
  return StopCause::NotFinite;
}

StopCause Loop::parameters_not_finite(const NotFiniteElement& found, double loss) {
  const std::string& name = objective_.parameters()[found.tensor].name;
  const auto gradient = find_not_finite(objective_, given_gradients_);
  outcome_.reason =
      fmt::format("step {} (epoch {}): the update made element {} of `{}` {} at a loss of {}; ",
                  outcome_.steps + 1, outcome_.epochs + 1, found.element, name,
                  value_text(found.value), value_text(loss));
  if (gradient) {
    outcome_.reason += fmt::format(
        "{} already held {} in `{}`. Lower the learning rate or scale the features",
        computed_again_ ? "the gradient where the rule had moved the parameters" : "its gradient",
        value_text(gradient->value), objective_.parameters()[gradient->tensor].name);
  } else {
    outcome_.reason +=
        "the gradient was finite, so the rule divides by 0 or its steps are too large";
  }
  return StopCause::NotFinite;
}

Loop::Next Loop::run_step(std::span<const std::uint32_t> samples, bool ends_epoch) {
  double loss = 0;
  {
    const Timed timed(outcome_.times.gradient_seconds);
    loss = objective_.loss_and_gradient(samples, gradients_);
  }
  if (!outcome_.first_loss) outcome_.first_loss = loss;
  if (!std::isfinite(loss)) return std::optional{loss_not_finite(loss)};
  before_.take(objective_);
  if (auto cause = update(samples, loss); !cause || *cause) return cause;
  const auto found = find_not_finite(objective_, parameter_pointers_);
  measure(ends_epoch || found);
  if (found) {
    before_.put_back(objective_);
    return std::optional{parameters_not_finite(*found, loss)};
  }
  ++outcome_.steps;
  outcome_.last_loss = loss;
  if (hooks_.on_step) {
    hooks_.on_step(
        {outcome_.steps, outcome_.epochs + 1, static_cast<std::uint32_t>(samples.size()), loss});
  }
  if (is_interrupted()) return std::optional{StopCause::Interrupted};
  return std::optional<StopCause>{};
}

void Loop::measure(bool is_end) {
  const bool is_wanted = settings_.norms == NormsIn::EveryStep ||
                         (settings_.norms == NormsIn::EpochEnds && (is_end || outcome_.steps == 0));
  if (!is_wanted || !hooks_.on_norms) return;
  std::vector<const void*> gradients(gradients_.begin(), gradients_.end());
  for (std::size_t i = 0; computed_again_ && i < gradients.size(); ++i)
    gradients[i] = first_gradients_[i].data();
  hooks_.on_norms(
      {outcome_.steps + 1, outcome_.epochs + 1, tensor_norms(objective_, gradients, before_)});
}

support::Status Loop::take_view(std::optional<ParameterCopy>& copy) {
  copy.reset();
  if (auto status = optimizer_.swap_in(settings_.view); !status) return status;
  if (!find_not_finite(objective_, parameter_pointers_)) copy.emplace().take(objective_);
  return optimizer_.swap_out();
}

Loop::Next Loop::watch(double loss, EpochRecord& record) {
  if (!outcome_.best_loss || loss < *outcome_.best_loss - settings_.min_delta) {
    record.is_best = true;
    outcome_.best_loss = loss;
    outcome_.best_epoch = record.epoch;
    epochs_without_better_ = 0;
    const bool keeps = settings_.patience > 0 && settings_.restore_best;
    if (keeps) best_.take(objective_);
    if (keeps && !settings_.view.empty())
      if (auto status = take_view(best_view_); !status) return status.failure();
    return std::optional<StopCause>{};
  }
  if (settings_.patience == 0 || ++epochs_without_better_ < settings_.patience)
    return std::optional<StopCause>{};
  if (settings_.restore_best) {
    best_.put_back(objective_);
    outcome_.restored_best = true;
  }
  return std::optional{StopCause::EarlyStopping};
}

support::Status Loop::validate(EpochRecord& record) {
  const Timed timed(outcome_.times.validation_seconds);
  if (!settings_.view.empty())
    if (auto status = optimizer_.swap_in(settings_.view); !status) return status;
  if (const auto evaluation = objective_.evaluate_validation()) {
    record.validation_loss = evaluation->loss;
    record.validation_accuracy = evaluation->accuracy;
  }
  return settings_.view.empty() ? support::ok() : optimizer_.swap_out();
}

Loop::Next Loop::end_epoch(double running_loss) {
  ++outcome_.epochs;
  EpochRecord record{outcome_.epochs, outcome_.steps, running_loss, {}, {}, false};
  if (auto status = validate(record); !status) return status.failure();
  new_validation_loss_ = record.validation_loss;
  const double watched = record.validation_loss.value_or(running_loss);
  std::optional<StopCause> cause;
  if (std::isfinite(watched)) {
    auto watching = watch(watched, record);
    if (!watching) return watching;
    cause = *watching;
  } else {
    outcome_.reason = fmt::format(
        "epoch {}: the validation loss is {} after step {}; look at the held-out rows, or lower "
        "the learning rate",
        record.epoch, value_text(watched), record.step);
    cause = StopCause::NotFinite;
  }
  if (hooks_.on_epoch) hooks_.on_epoch(record);
  if (!cause && settings_.max_steps > 0 && outcome_.steps >= settings_.max_steps) {
    cause = StopCause::StepLimit;
  }
  return cause;
}

Loop::Next Loop::run_epoch() {
  batches_.start(outcome_.epochs);
  double loss_sum = 0;
  double samples = 0;
  const std::uint64_t count = batches_.count();
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto batch = batches_.batch(i);
    const bool is_limit = settings_.max_steps > 0 && outcome_.steps + 1 >= settings_.max_steps;
    auto cause = run_step(batch, is_limit || i + 1 == count);
    if (!cause || *cause) return cause;
    loss_sum += *outcome_.last_loss * static_cast<double>(batch.size());
    samples += static_cast<double>(batch.size());
    if (is_limit && i + 1 < count) return std::optional{StopCause::StepLimit};
  }
  return end_epoch(loss_sum / samples);
}

/// What the run gives back in place of the parameters.
support::Status Loop::end_view() {
  if (settings_.view.empty()) return support::ok();
  if (outcome_.restored_best) {
    outcome_.view = std::move(best_view_);
    return support::ok();
  }
  if (auto status = take_view(outcome_.view); !status) return status;
  if (!outcome_.view && outcome_.cause != StopCause::NotFinite) {
    outcome_.cause = StopCause::NotFinite;
    outcome_.reason = fmt::format(
        "after step {} the view `{}` is not finite, although the parameters are: the rule divides "
        "by 0 or its states overflow",
        outcome_.steps, settings_.view);
  }
  return support::ok();
}

support::Result<LoopOutcome> Loop::run() {
  {
    const Timed timed(outcome_.times.total_seconds);
    if (is_interrupted()) outcome_.cause = StopCause::Interrupted;
    while (outcome_.cause == StopCause::Finished && outcome_.epochs < settings_.epochs) {
      auto cause = run_epoch();
      if (!cause) return cause.failure();
      if (*cause) {
        outcome_.cause = **cause;
        break;
      }
    }
  }
  if (auto status = end_view(); !status) return status.failure();
  return std::move(outcome_);
}

}  // namespace

support::Result<LoopOutcome> run_loop(Objective& objective, optimizer::Optimizer& optimizer,
                                      const LoopSettings& settings, const LoopHooks& hooks) {
  auto batches = BatchPlan::create(settings, objective.sample_count());
  if (!batches) return batches.failure();
  if (!settings.view.empty())
    if (auto status = optimizer.check_view(settings.view); !status) return status.failure();
  return Loop(objective, optimizer, settings, hooks, std::move(*batches)).run();
}

std::vector<optimizer::Tensor> optimizer_tensors(const Objective& objective,
                                                 std::span<const std::uint32_t> groups) {
  std::vector<optimizer::Tensor> tensors;
  for (const ParameterTensor& parameter : objective.parameters()) {
    optimizer::Tensor tensor;
    tensor.name = parameter.name;
    tensor.shape = parameter.shape;
    tensor.param = parameter.data;
    if (tensors.size() < groups.size()) tensor.group = groups[tensors.size()];
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::string_view stop_cause_name(StopCause cause) {
  switch (cause) {
    case StopCause::Finished:
      return "finished";
    case StopCause::StepLimit:
      return "step limit";
    case StopCause::EarlyStopping:
      return "early stopping";
    case StopCause::Interrupted:
      return "interrupted";
    case StopCause::NotFinite:
      return "not finite";
  }
  return {};
}

}  // namespace talweg::train
