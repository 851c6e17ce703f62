// Replays given gradients step by step.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/cli/optimizer_factory.h"
#include "compiler/cli/replay_run.h"

namespace talweg::cli {

namespace {

/// Values of all tensors in the program's type.
template <class Scalar>
std::vector<std::vector<Scalar>> converted(const TensorValues& values) {
  std::vector<std::vector<Scalar>> result;
  for (const std::vector<double>& tensor : values) {
    auto& typed = result.emplace_back();
    typed.reserve(tensor.size());
    for (const double value : tensor) typed.push_back(static_cast<Scalar>(value));
  }
  return result;
}

template <class Scalar>
std::vector<const void*> pointers(const std::vector<std::vector<Scalar>>& values) {
  std::vector<const void*> result;
  for (const std::vector<Scalar>& tensor : values) result.push_back(tensor.data());
  return result;
}

template <class Scalar>
std::vector<double> widened(const Scalar* values, std::size_t count) {
  return std::vector<double>(values, values + count);
}

/// A final state of the case beside ours, over the run: magnitudes count from the first step on.
struct StateComparison {
  const CaseState* truth;
  NamedState name;
  Comparison comparison;
};

template <class Scalar>
class Trajectory {
 public:
  Trajectory(const ReplayCase& reference, const ReplayRun& run)
      : reference_(reference),
        given_(reference.trajectory),
        run_(run),
        params_(converted<Scalar>(reference.start)) {}

  support::Result<ReplayResult> replay() {
    auto made =
        make_optimizer(run_.program, run_.settings, tensors(), 1, run_.pool, run_.make_core);
    if (!made) return made.failure();
    optimizer_ = std::make_unique<optimizer::Optimizer>(std::move(*made));
    if (!kIsSingle) choose_states();
    for (std::size_t tensor = 0; tensor < reference_.tensors.size(); ++tensor)
      params_comparison_.magnitude(tensor, reference_.start[tensor]);
    for (std::uint64_t step = 1; step <= given_.gradients.size(); ++step) {
      if (auto stepped = take_step(step); !stepped) return stepped.failure();
      compare_params(step);
      if (auto seen = see_states(step); !seen) return seen.failure();
    }
    return result();
  }

 private:
  static constexpr bool kIsSingle = std::is_same_v<Scalar, float>;

  std::vector<optimizer::Tensor> tensors() {
    std::vector<optimizer::Tensor> tensors;
    for (std::size_t i = 0; i < params_.size(); ++i)
      tensors.push_back(
          {reference_.tensors[i].name, reference_.tensors[i].shape, params_[i].data(), 0, {}});
    return tensors;
  }

  support::Status take_step(std::uint64_t step) {
    if (!given_.rates.empty())
      if (auto set = optimizer_->set_hyper("lr", given_.rates[step - 1]); !set)
        return set.failure();
    optimizer::StepInputs inputs = loss_inputs(run_.program->image(), given_.losses, step - 1);
    std::vector<std::vector<Scalar>> hessian, noise;
    const std::uint64_t which = (step - 1) / given_.hessian_every;
    if ((step - 1) % given_.hessian_every == 0 && which < given_.hessians.size()) {
      hessian = converted<Scalar>(given_.hessians[which]);
      inputs.element.emplace_back("hessian", pointers(hessian));
    }
    if (!given_.noise.empty()) {
      noise = converted<Scalar>(given_.noise[step - 1]);
      inputs.element.emplace_back("noise", pointers(noise));
    }
    const auto gradients = converted<Scalar>(given_.gradients[step - 1]);
    // A step of a case is a call: whether the rule completes, holds or skips it shows in the
    // values.
    const auto stepped = optimizer_->step(pointers(gradients), inputs);
    if (!stepped) return stepped.failure();
    if (*stepped != optimizer::StepOutcome::Regrad) return support::ok();
    optimizer_->abandon();
    return support::Failure{
        support::FailureKind::Usage,
        fmt::format(
            "a trajectory has one gradient a step, but step {} of rule `{}` asks for another "
            "one at parameters that it has moved: replay a problem instead",
            step, run_.program->image().name)};
  }

  void compare_params(std::uint64_t step) {
    const TensorValues* truth = &given_.params[step - 1];
    if (kIsSingle) {
      for (std::size_t i = 0; i < truth->size(); ++i) params_comparison_.magnitude(i, (*truth)[i]);
      const auto recorded = std::ranges::find(given_.single_steps, step);
      if (recorded == given_.single_steps.end()) return;
      truth =
          &given_.single_params[static_cast<std::size_t>(recorded - given_.single_steps.begin())];
    }
    for (std::size_t i = 0; i < truth->size(); ++i)
      params_comparison_.compare(step, i, widened(params_[i].data(), params_[i].size()),
                                 (*truth)[i]);
  }

  void choose_states() {
    for (const NamedState& name : run_.states)
      for (const CaseState& state : given_.states)
        if (state.name == name.theirs)
          states_.push_back({&state, name, Comparison("state " + state.name)});
  }

  support::Status see_states(std::uint64_t step) {
    const bool is_last = step == given_.gradients.size();
    for (StateComparison& state : states_) {
      auto seen = state.truth->scalar ? see_scalar(state, step, is_last)
                                      : see_tensors(state, step, is_last);
      if (!seen) return seen.failure();
    }
    return support::ok();
  }

  support::Status see_scalar(StateComparison& state, std::uint64_t step, bool is_last) {
    const auto ours = optimizer_->scalar(state.name.ours);
    if (!ours) return ours.failure();
    const double value = state.name.negated ? -*ours : *ours;
    state.comparison.magnitude(0, {&value, 1});
    const double truth = *state.truth->scalar;
    if (is_last) state.comparison.compare(step, 0, {&value, 1}, {&truth, 1});
    return support::ok();
  }

  support::Status see_tensors(StateComparison& state, std::uint64_t step, bool is_last) {
    for (std::size_t i = 0; i < params_.size(); ++i) {
      if (!state.truth->tensors[i]) continue;
      auto kept = kept_state(state.name.ours, i);
      if (!kept) return kept.failure();
      std::vector<double>& values = *kept;
      if (state.name.negated)
        for (double& value : values) value = -value;
      state.comparison.magnitude(i, values);
      if (is_last) state.comparison.compare(step, i, values, *state.truth->tensors[i]);
    }
    return support::ok();
  }

  /// Values of the state that the tensor keeps of those named: per element, row, column, matrix or
  /// tensor. States are compared in float64 only, where all of these are.
  support::Result<std::vector<double>> kept_state(const std::string& names, std::size_t tensor) {
    if (auto fetched = optimizer_->fetch_states(); !fetched) return fetched.failure();
    const std::vector<optimizer::PersistentEntry> entries = optimizer_->persistent();
    const std::string& of = reference_.tensors[tensor].name;
    const optimizer::PersistentEntry* found = nullptr;
    for (std::size_t start = 0; start <= names.size();) {
      const std::size_t end = std::min(names.find('/', start), names.size());
      const std::string name = names.substr(start, end - start) + "/" + of;
      start = end + 1;
      for (const optimizer::PersistentEntry& entry : entries) {
        if (entry.name.starts_with("@begun/") ||
            (entry.name != name && !entry.name.ends_with("." + name)))
          continue;
        if (found != nullptr)
          return support::Failure{
              support::FailureKind::Usage,
              fmt::format("tensor `{}` keeps both `{}` and `{}`: name the stage of the state to "
                          "compare",
                          of, found->name, entry.name)};
        found = &entry;
      }
    }
    if (found == nullptr)
      return support::Failure{
          support::FailureKind::Usage,
          fmt::format("the rule keeps no state `{}` for tensor `{}`", names, of)};
    std::size_t count = 1;
    for (const std::uint64_t extent : found->shape) count *= extent;
    return widened(static_cast<const double*>(found->data), count);
  }

  ReplayResult result() const {
    ReplayResult result;
    result.tolerance = kIsSingle ? *reference_.tolerance32 : reference_.tolerance64;
    add(params_comparison_, result);
    for (const StateComparison& state : states_) add(state.comparison, result);
    return result;
  }

  const ReplayCase& reference_;
  const TrajectoryCase& given_;
  const ReplayRun& run_;
  std::vector<std::vector<Scalar>> params_;
  std::unique_ptr<optimizer::Optimizer> optimizer_;
  Comparison params_comparison_{"params"};
  std::vector<StateComparison> states_;
};

}  // namespace

support::Result<ReplayResult> replay_trajectory(const ReplayCase& reference, const ReplayRun& run) {
  if (run.program->image().compute_dtype == TALWEG_F32)
    return Trajectory<float>(reference, run).replay();
  return Trajectory<double>(reference, run).replay();
}

}  // namespace talweg::cli
