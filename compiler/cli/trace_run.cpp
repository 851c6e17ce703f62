#include "compiler/cli/trace_run.h"

#include <atomic>

#include "compiler/cli/optimizer_factory.h"
#include "runtime/train/loop.h"
#include "runtime/train/test_functions.h"

namespace talweg::cli {

namespace {

template <class Scalar>
support::Status run_typed(const TraceSettings& settings, const train::TestFunction& function,
                          const std::shared_ptr<driver::Program>& program,
                          const std::function<bool(const TracePoint&)>& on_point) {
  auto objective = train::function_objective<Scalar>(function, settings.start);
  if (!objective) return objective.failure();
  auto optimizer = make_optimizer(program, settings.settings, train::optimizer_tensors(*objective),
                                  1, std::make_shared<support::ThreadPool>(1));
  if (!optimizer) return optimizer.failure();

  const auto point_after = [&](std::uint64_t step) {
    TracePoint point;
    point.step = step;
    for (const Scalar x : objective->values(0)) point.parameters.push_back(x);
    point.value = function.value(point.parameters);
    return point;
  };
  std::atomic<bool> stop{!on_point(point_after(0))};
  if (settings.steps == 0) return support::ok();
  train::LoopSettings loop;
  loop.epochs = settings.steps;
  loop.shuffle = train::Shuffle::None;
  train::LoopHooks hooks;
  hooks.stop = &stop;
  hooks.on_step = [&](const train::StepRecord& record) {
    if (!on_point(point_after(record.step))) stop = true;
  };
  const auto outcome = train::run_loop(*objective, *optimizer, loop, hooks);
  if (!outcome) return outcome.failure();
  if (outcome->cause == train::StopCause::NotFinite)
    return support::Failure{support::FailureKind::Numeric, outcome->reason};
  return support::ok();
}

}  // namespace

support::Status run_trace(const TraceSettings& settings,
                          const std::shared_ptr<driver::Program>& program,
                          const std::function<bool(const TracePoint&)>& on_point) {
  const auto function = train::find_test_function(settings.function);
  if (!function) return function.failure();
  return program->image().compute_dtype == TALWEG_F64
             ? run_typed<double>(settings, **function, program, on_point)
             : run_typed<float>(settings, **function, program, on_point);
}

}  // namespace talweg::cli
