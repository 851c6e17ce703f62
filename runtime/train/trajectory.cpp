// Following an optimizer over a test function.
#include "runtime/train/trajectory.h"

#include <fmt/format.h>

#include "runtime/train/test_functions.h"

namespace talweg::train {
namespace {

template <class Scalar>
support::Result<Trajectory> follow_in(const FunctionRun& run,
                                      const OptimizerFactory& make_optimizer,
                                      const LoopHooks& hooks) {
  auto function = find_test_function(run.function);
  if (!function) return function.failure();
  auto objective = function_objective<Scalar>(**function, run.start);
  if (!objective) return objective.failure();
  auto optimizer = make_optimizer(optimizer_tensors(*objective), 1, run.dtype);
  if (!optimizer) return optimizer.failure();
  Trajectory trajectory;
  const auto note = [&](std::uint64_t step) {
    const auto values = objective->values(0);
    std::vector<double> x(values.begin(), values.end());
    const double value = (*function)->value(x);
    trajectory.points.push_back({step, value, std::move(x)});
  };
  note(0);
  LoopSettings settings;
  settings.epochs = run.steps;
  LoopHooks noting = hooks;
  noting.on_step = [&](const StepRecord& record) {
    note(record.step);
    if (hooks.on_step) hooks.on_step(record);
  };
  auto outcome = run_loop(*objective, *optimizer, settings, noting);
  if (!outcome) return outcome.failure();
  trajectory.outcome = std::move(*outcome);
  return trajectory;
}

}  // namespace

support::Result<Trajectory> follow(const FunctionRun& run, const OptimizerFactory& make_optimizer,
                                   const LoopHooks& hooks) {
  return run.dtype == TALWEG_F32 ? follow_in<float>(run, make_optimizer, hooks)
                                 : follow_in<double>(run, make_optimizer, hooks);
}

std::string trajectory_csv(const Trajectory& trajectory) {
  std::string text = "step,value";
  if (!trajectory.points.empty()) {
    for (std::size_t i = 0; i < trajectory.points.front().x.size(); ++i)
      text += fmt::format(",x{}", i);
  }
  text += '\n';
  for (const TrajectoryPoint& point : trajectory.points) {
    text += fmt::format("{},{}", point.step, point.value);
    for (const double x : point.x) text += fmt::format(",{}", x);
    text += '\n';
  }
  return text;
}

}  // namespace talweg::train
