// Following an optimizer over a test function.
#include "runtime/train/trajectory.h"

#include <fmt/format.h>

#include <atomic>
#include <cmath>

#include "runtime/train/loop.h"

namespace talweg::train {
namespace {

template <class Scalar>
support::Status follow_in(const FunctionRun& run, const OptimizerFactory& make_optimizer,
                          const std::function<bool(const TrajectoryPoint&)>& on_point) {
  auto function = find_test_function(run.function);
  if (!function) return function.failure();
  auto objective = function_objective<Scalar>(**function, run.start);
  if (!objective) return objective.failure();
  auto optimizer = make_optimizer(optimizer_tensors(*objective), 1, run.dtype);
  if (!optimizer) return optimizer.failure();

  support::Status viewed = support::ok();
  // False to end.
  const auto note = [&](std::uint64_t step) {
    if (!run.view.empty()) viewed = optimizer->swap_in(run.view);
    if (!viewed) return false;
    const TrajectoryPoint point = point_after(step, **function, *objective);
    if (!run.view.empty()) viewed = optimizer->swap_out();
    return viewed && on_point(point);
  };
  std::atomic<bool> stop{!note(0)};
  if (!viewed) return viewed;
  LoopSettings settings;
  settings.epochs = run.steps;
  settings.shuffle = Shuffle::None;
  LoopHooks hooks;
  hooks.stop = &stop;
  hooks.on_step = [&](const StepRecord& record) {
    if (!note(record.step)) stop = true;
  };
  const auto outcome = run_loop(*objective, *optimizer, settings, hooks);
  if (!outcome) return outcome.failure();
  if (!viewed) return viewed;
  if (outcome->cause == StopCause::NotFinite)
    return support::Failure{support::FailureKind::Numeric, outcome->reason};
  return support::ok();
}

/// As people read it: the sign of a NaN says nothing.
std::string number_text(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{}", value);
}

}  // namespace

support::Status follow(const FunctionRun& run, const OptimizerFactory& make_optimizer,
                       const std::function<bool(const TrajectoryPoint&)>& on_point) {
  return run.dtype == TALWEG_F32 ? follow_in<float>(run, make_optimizer, on_point)
                                 : follow_in<double>(run, make_optimizer, on_point);
}

std::string trajectory_header(std::size_t dimensions) {
  std::string line = "step,value";
  for (std::size_t i = 0; i < dimensions; ++i) line += fmt::format(",x{}", i);
  return line + "\n";
}

std::string trajectory_line(const TrajectoryPoint& point) {
  std::string line = fmt::format("{},{}", point.step, number_text(point.value));
  for (const double x : point.parameters) line += "," + number_text(x);
  return line + "\n";
}

}  // namespace talweg::train
