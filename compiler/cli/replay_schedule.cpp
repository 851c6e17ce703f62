// Replays a schedule: the rule of the case is stepped on one parameter with gradient 0, and the
// rate it computed in each step is compared.
#include <string_view>

#include "compiler/cli/optimizer_factory.h"
#include "compiler/cli/replay_run.h"

namespace talweg::cli {

namespace {

/// A hyper that the rule computes, or else the one that is set.
support::Result<double> hyper_of(const optimizer::Optimizer& optimizer, std::string_view name) {
  auto bound = optimizer.scalar(name);
  return bound ? bound : optimizer.hyper(name);
}

}  // namespace

support::Result<ReplayResult> replay_schedule(const ReplayCase& reference, const ReplayRun& run) {
  const ScheduleCase& schedule = reference.schedule;
  double param = 0;
  const double gradient = 0;
  auto optimizer = make_optimizer(run.program, run.settings, {{"param", {1}, &param, 0, {}}}, 1,
                                  run.pool, run.make_core);
  if (!optimizer) return optimizer.failure();
  Comparison values("values"), momentum("momentum");
  for (std::size_t i = 0; i < schedule.values.size(); ++i) {
    const void* const gradients[] = {&gradient};
    const optimizer::StepInputs inputs = loss_inputs(run.program->image(), schedule.losses, i);
    auto stepped = optimizer->step(gradients, inputs);
    // The gradient is 0 wherever the rule moves the parameter to.
    while (stepped && optimizer->is_waiting()) stepped = optimizer->step(gradients, inputs);
    if (!stepped) return stepped.failure();
    const auto rate = hyper_of(*optimizer, "lr");
    if (!rate) return rate.failure();
    values.compare(i + 1, 0, {&*rate, 1}, {&schedule.values[i], 1});
    if (schedule.momentum.empty()) continue;
    const auto mass = hyper_of(*optimizer, "momentum");
    if (!mass) return mass.failure();
    momentum.compare(i + 1, 0, {&*mass, 1}, {&schedule.momentum[i], 1});
  }
  ReplayResult result;
  result.tolerance = reference.tolerance64;
  add(values, result);
  if (!schedule.momentum.empty()) add(momentum, result);
  return result;
}

}  // namespace talweg::cli
