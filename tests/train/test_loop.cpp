// What the loop promises: records, stops, restores, frozen tensors, inputs given when new.
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "runtime/train/callback_objective.h"
#include "runtime/train/loop.h"
#include "runtime/train/trajectory.h"
#include "tests/train/fake_rule.h"

using namespace talweg;
using namespace talweg::train;
using namespace talweg::train::testing;

namespace {

/// (x - 3)^2 + (y + 1)^2 in two tensors, with losses of a validation part that are told beforehand.
class Bowl final : public Objective {
 public:
  Bowl() { tensors_ = {{"x", {1}, 1, &x}, {"y", {1}, 1, &y}}; }
  [[nodiscard]] talweg_dtype dtype() const override { return TALWEG_F64; }
  [[nodiscard]] std::span<const ParameterTensor> parameters() const override { return tensors_; }
  [[nodiscard]] std::uint32_t sample_count() const override { return 4; }
  double loss_and_gradient(std::span<const std::uint32_t> samples,
                           std::span<void* const> gradients) override {
    seen.insert(seen.end(), samples.begin(), samples.end());
    *static_cast<double*>(gradients[0]) = 2 * (x - 3);
    *static_cast<double*>(gradients[1]) = 2 * (y + 1);
    ++calls;
    return calls == nan_at ? std::numeric_limits<double>::quiet_NaN() : value();
  }
  Evaluation evaluate_training() override { return {value(), std::nullopt}; }
  std::optional<Evaluation> evaluate_validation() override {
    validated.push_back(x);
    if (validation.empty()) return std::nullopt;
    const double loss = validation.front();
    if (validation.size() > 1) validation.erase(validation.begin());
    return Evaluation{loss, std::nullopt};
  }
  [[nodiscard]] double value() const { return (x - 3) * (x - 3) + (y + 1) * (y + 1); }

  double x = 0, y = 0;
  std::uint64_t calls = 0, nan_at = 0;
  std::vector<double> validation;
  std::vector<double> validated;  // x, whenever the validation part was asked for
  std::vector<std::uint32_t> seen;

 private:
  std::vector<ParameterTensor> tensors_;
};

support::Result<LoopOutcome> run(Objective& objective, FakeRule& rule, const LoopSettings& settings,
                                 const LoopHooks& hooks = {}) {
  auto optimizer = fake_factory(rule)(optimizer_tensors(objective), 1, objective.dtype());
  INFO((optimizer ? "" : optimizer.failure().message));
  REQUIRE(optimizer.ok());
  return run_loop(objective, *optimizer, settings, hooks);
}

}  // namespace

TEST_CASE("losses are those before the updates; parameters are seen after them") {
  Bowl bowl;
  FakeRule rule(0.25);
  LoopSettings settings;
  settings.epochs = 3;
  std::vector<double> losses;
  std::vector<double> xs;
  LoopHooks hooks;
  hooks.on_step = [&](const StepRecord& record) {
    losses.push_back(record.loss);
    xs.push_back(bowl.x);
    CHECK(record.samples == 4);
  };
  const auto outcome = run(bowl, rule, settings, hooks);
  REQUIRE(outcome.ok());
  CHECK(losses == std::vector<double>{10, 2.5, 0.625});
  CHECK(xs == std::vector<double>{1.5, 2.25, 2.625});
  CHECK(outcome->cause == StopCause::Finished);
  CHECK(outcome->first_loss == 10);
  CHECK(rule.losses == std::vector<std::optional<double>>{10, 2.5, 0.625});
  CHECK(outcome->times.total_seconds >= outcome->times.optimizer_seconds);
}

TEST_CASE("given orders are walked in turn, in batches") {
  Bowl bowl;
  FakeRule rule;
  LoopSettings settings;
  settings.epochs = 3;
  settings.batch = 2;
  settings.order = {{3, 3, 1}, {0}};
  const auto outcome = run(bowl, rule, settings);
  CHECK(outcome->steps == 5);
  CHECK(bowl.seen == std::vector<std::uint32_t>{3, 3, 1, 0, 3, 3, 1});
}

TEST_CASE("held and skipped calls are steps of the loop, and are counted") {
  Bowl bowl;
  bowl.validation = {5, 4};
  FakeRule rule;
  rule.ends = {TALWEG_HELD, TALWEG_HELD, TALWEG_SKIPPED, TALWEG_COMPLETED, TALWEG_HELD};
  LoopSettings settings;
  settings.epochs = 10;
  settings.batch = 2;
  settings.max_steps = 5;
  const auto outcome = run(bowl, rule, settings);
  REQUIRE(outcome.ok());
  CHECK(outcome->cause == StopCause::StepLimit);
  CHECK(outcome->steps == 5);
  CHECK(outcome->held == 3);
  CHECK(outcome->skipped == 1);
  CHECK(bowl.calls == 5);
  // The first validation loss waits for a call that gets to read it.
  using Given = std::vector<std::optional<double>>;
  CHECK(rule.validation_losses == Given{{}, {}, 5, 5, 4});
}

TEST_CASE("a step limit ends within an epoch, or at its end with the epoch counted") {
  Bowl bowl;
  FakeRule rule;
  LoopSettings settings;
  settings.epochs = 10;
  settings.batch = 2;
  settings.max_steps = 3;
  auto outcome = run(bowl, rule, settings);
  CHECK(outcome->cause == StopCause::StepLimit);
  CHECK((outcome->steps == 3 && outcome->epochs == 1));
  settings.max_steps = 4;
  outcome = run(bowl, rule, settings);
  CHECK((outcome->steps == 4 && outcome->epochs == 2));
}

TEST_CASE("a loss that is not finite stops before the optimizer sees the step") {
  Bowl bowl;
  bowl.nan_at = 3;
  FakeRule rule(0.25);
  LoopSettings settings;
  settings.epochs = 9;
  const auto outcome = run(bowl, rule, settings);
  REQUIRE(outcome.ok());
  CHECK(outcome->cause == StopCause::NotFinite);
  CHECK(outcome->steps == 2);
  CHECK(bowl.x == 2.25);
  CHECK(rule.losses.size() == 2);
  CHECK_THAT(outcome->reason,
             Catch::Contains("step 3") && Catch::Contains("nan") && Catch::Contains("2.5"));
  bowl.calls = 0;
  bowl.nan_at = 1;
  CHECK_THAT(run(bowl, rule, settings)->reason, Catch::Contains("before any update"));
}

TEST_CASE("parameters that stop being finite are put back to before the step") {
  Bowl bowl;
  FakeRule rule(0.25);
  rule.poison_step = 2;
  LoopSettings settings;
  settings.epochs = 9;
  const auto outcome = run(bowl, rule, settings);
  REQUIRE(outcome.ok());
  CHECK(outcome->cause == StopCause::NotFinite);
  CHECK(outcome->steps == 1);
  CHECK((bowl.x == 1.5 && bowl.y == -0.5));
  CHECK_THAT(outcome->reason, Catch::Contains("step 2") && Catch::Contains("element 0 of `x`"));
}

TEST_CASE("divergence is found") {
  Bowl bowl;
  FakeRule rule(1e200);
  LoopSettings settings;
  settings.epochs = 9;
  const auto outcome = run(bowl, rule, settings);
  CHECK(outcome->cause == StopCause::NotFinite);
  CHECK(std::isfinite(bowl.x));
}

TEST_CASE("a validation loss is given once, in the step after it was measured") {
  Bowl bowl;
  bowl.validation = {5, 4, 3};
  FakeRule rule;
  LoopSettings settings;
  settings.epochs = 3;
  settings.batch = 2;
  REQUIRE(run(bowl, rule, settings).ok());
  using Given = std::vector<std::optional<double>>;
  CHECK(rule.validation_losses == Given{{}, {}, 5, {}, 4, {}});
}

TEST_CASE("early stopping waits, stops and goes back to the best epoch") {
  Bowl bowl;
  bowl.validation = {5, 4, 4.5, 3.95, 6};
  FakeRule rule(0.25);
  LoopSettings settings;
  settings.epochs = 50;
  settings.patience = 2;
  settings.min_delta = 0.1;
  std::vector<double> xs;
  LoopHooks hooks;
  hooks.on_step = [&](const StepRecord&) { xs.push_back(bowl.x); };
  const auto outcome = run(bowl, rule, settings, hooks);
  CHECK(outcome->cause == StopCause::EarlyStopping);
  CHECK(outcome->epochs == 4);
  CHECK(outcome->best_epoch == 2);
  CHECK(outcome->best_loss == 4);
  CHECK(outcome->restored_best);
  CHECK(bowl.x == xs[1]);
  settings.restore_best = false;
  bowl.validation = {1, 2};
  xs.clear();
  CHECK(!run(bowl, rule, settings, hooks)->restored_best);
  CHECK(bowl.x == xs.back());
}

TEST_CASE("a validation loss that is not finite stops") {
  Bowl bowl;
  bowl.validation = {std::numeric_limits<double>::infinity()};
  FakeRule rule;
  LoopSettings settings;
  settings.epochs = 5;
  const auto outcome = run(bowl, rule, settings);
  CHECK(outcome->cause == StopCause::NotFinite);
  CHECK(outcome->epochs == 1);
}

TEST_CASE("the stop flag ends after the present step") {
  Bowl bowl;
  FakeRule rule;
  LoopSettings settings;
  settings.epochs = 1000;
  settings.batch = 1;
  std::atomic<bool> stop{false};
  LoopHooks hooks;
  hooks.stop = &stop;
  hooks.on_step = [&](const StepRecord& record) {
    if (record.step == 6) stop = true;
  };
  auto outcome = run(bowl, rule, settings, hooks);
  CHECK(outcome->cause == StopCause::Interrupted);
  CHECK((outcome->steps == 6 && outcome->epochs == 1));
  outcome = run(bowl, rule, settings, hooks);
  CHECK((outcome->cause == StopCause::Interrupted && outcome->steps == 0));
}

TEST_CASE("norms of gradient, parameter and update are measured in the steps that were asked for") {
  const auto measured = [](NormsIn norms, std::uint64_t max_steps, FakeRule rule) {
    Bowl bowl;
    bowl.x = 1;
    LoopSettings settings;
    settings.epochs = 3;
    settings.batch = 2;
    settings.max_steps = max_steps;
    settings.norms = norms;
    settings.frozen = {false, true};
    std::vector<StepNorms> found;
    LoopHooks hooks;
    hooks.on_norms = [&](const StepNorms& of_step) { found.push_back(of_step); };
    REQUIRE(run(bowl, rule, settings, hooks).ok());
    return found;
  };
  const auto steps = [&](NormsIn norms, std::uint64_t max_steps, const FakeRule& rule) {
    std::vector<std::uint64_t> found;
    for (const StepNorms& of_step : measured(norms, max_steps, rule)) found.push_back(of_step.step);
    return found;
  };
  using Steps = std::vector<std::uint64_t>;
  CHECK(steps(NormsIn::NoStep, 0, FakeRule(0.1)).empty());
  CHECK(steps(NormsIn::EveryStep, 0, FakeRule(0.1)) == Steps{1, 2, 3, 4, 5, 6});
  CHECK(steps(NormsIn::EpochEnds, 0, FakeRule(0.1)) == Steps{1, 2, 4, 6});
  CHECK(steps(NormsIn::EpochEnds, 5, FakeRule(0.1)) == Steps{1, 2, 4, 5});

  const auto first = measured(NormsIn::EveryStep, 1, FakeRule(0.1)).at(0);
  CHECK(first.epoch == 1);
  CHECK(first.tensors[0].gradient == 4);
  CHECK(first.tensors[0].parameter == 1);
  CHECK(first.tensors[0].update == Approx(0.4));
  CHECK(first.tensors[1].gradient == 2);  // frozen
  CHECK(first.tensors[1].update == 0);

  FakeRule poison(0.1);
  poison.poison_step = 3;
  const auto poisoned = measured(NormsIn::EpochEnds, 0, poison);
  REQUIRE(poisoned.back().step == 3);
  CHECK(std::isnan(poisoned.back().tensors[0].update));
  CHECK(std::isfinite(poisoned.back().tensors[0].parameter));
}

TEST_CASE("frozen tensors keep every bit") {
  Bowl bowl;
  bowl.y = -0.0;
  FakeRule rule;
  LoopSettings settings;
  settings.epochs = 5;
  settings.frozen = {false, true};
  REQUIRE(run(bowl, rule, settings).ok());
  CHECK(bowl.x != 0);
  CHECK((bowl.y == 0 && std::signbit(bowl.y)));
}

TEST_CASE("a callback trains any model") {
  // y = a x^2 by one parameter over samples.
  const std::vector<double> x = {1, 2, 3};
  CallbackObjective<float> objective(
      [&](const auto& parameters, const auto& gradients, std::span<const std::uint32_t> samples) {
        double loss = 0;
        double slope = 0;
        for (const std::uint32_t i : samples) {
          const double error = double{parameters[0][0]} * x[i] * x[i] - 5 * x[i] * x[i];
          loss += error * error / static_cast<double>(samples.size());
          slope += 2 * error * x[i] * x[i] / static_cast<double>(samples.size());
        }
        gradients[0][0] = static_cast<float>(slope);
        return loss;
      },
      3);
  objective.add_parameter("a", {}, {0.0F});
  FakeRule rule(0.01);
  LoopSettings settings;
  settings.epochs = 300;
  settings.batch = 2;
  REQUIRE(run(objective, rule, settings).ok());
  CHECK(objective.values(0)[0] == Approx(5).epsilon(1e-5));
}

TEST_CASE("trajectories give the start and every step, until told to stop") {
  FakeRule rule(0.1);
  FunctionRun run;
  run.function = "sphere";
  run.start = {1, -2};
  run.steps = 2;
  std::vector<TrajectoryPoint> points;
  std::size_t wanted = 100;
  const auto on_point = [&](const TrajectoryPoint& point) {
    points.push_back(point);
    return points.size() < wanted;
  };
  REQUIRE(follow(run, fake_factory(rule), on_point).ok());
  REQUIRE(points.size() == 3);
  CHECK(points[1].parameters == std::vector<double>{0.8, -1.6});
  CHECK(trajectory_header(2) + trajectory_line(points[0]) == "step,value,x0,x1\n0,5,1,-2\n");
  for (wanted = 1; wanted <= 2; ++wanted) {
    points.clear();
    REQUIRE(follow(run, fake_factory(rule), on_point).ok());
    CHECK(points.size() == wanted);
  }
  wanted = 100;
  run.dtype = TALWEG_F32;
  run.steps = 0;
  points.clear();
  REQUIRE(follow(run, fake_factory(rule), on_point).ok());
  CHECK(points.size() == 1);
  run.function = "nothing";
  CHECK(follow(run, fake_factory(rule), on_point).failure().kind == support::FailureKind::Usage);
}

TEST_CASE("a trajectory that leaves the numbers fails with the points before") {
  FakeRule rule(1e200);
  FunctionRun run;
  run.function = "sphere";
  std::size_t points = 0;
  const auto followed = follow(run, fake_factory(rule), [&](const TrajectoryPoint&) {
    ++points;
    return true;
  });
  REQUIRE(!followed.ok());
  CHECK(followed.failure().kind == support::FailureKind::Numeric);
  CHECK_THAT(followed.failure().message, Catch::Contains("step "));
  CHECK(points >= 1);
}

TEST_CASE("a view is validated and watched in place of the parameters") {
  Bowl bowl;
  FakeRule rule(0.25);
  bowl.validation = {3, 1, 2, 2};
  LoopSettings settings;
  settings.epochs = 10;
  settings.view = "halved";
  settings.patience = 2;
  const auto outcome = run(bowl, rule, settings);
  REQUIRE(outcome.ok());
  CHECK(bowl.validated == std::vector<double>{0.75, 1.125, 1.3125, 1.40625});
  CHECK(outcome->cause == StopCause::EarlyStopping);
  CHECK(outcome->best_epoch == 2);
  // The parameters themselves are those of the best epoch, and so is the view.
  CHECK(bowl.x == 2.25);
  REQUIRE(outcome->view);
  outcome->view->put_back(bowl);
  CHECK(bowl.x == 1.125);
}

TEST_CASE("without a better epoch to go back to, the view is that of the end") {
  Bowl bowl;
  FakeRule rule(0.25);
  LoopSettings settings;
  settings.epochs = 2;
  settings.view = "halved";
  const auto outcome = run(bowl, rule, settings);
  REQUIRE(outcome.ok());
  CHECK(bowl.x == 2.25);
  REQUIRE(outcome->view);
  outcome->view->put_back(bowl);
  CHECK(bowl.x == 1.125);
  Bowl other;
  settings.view = {};
  const auto plain = run(other, rule, settings);
  REQUIRE(plain.ok());
  CHECK_FALSE(plain->view);
}

TEST_CASE("a view that is not finite ends the run, and the parameters stay") {
  Bowl bowl;
  FakeRule rule(0.25);
  rule.poison_view = 2;
  LoopSettings settings;
  settings.epochs = 2;
  settings.view = "halved";
  const auto outcome = run(bowl, rule, settings);
  REQUIRE(outcome.ok());
  CHECK(outcome->cause == StopCause::NotFinite);
  CHECK(outcome->reason.find("after step 2 the view `halved` is not finite") == 0);
  CHECK_FALSE(outcome->view);
  CHECK(bowl.x == 2.25);
}

TEST_CASE("a view that the rule does not have is refused before a step") {
  Bowl bowl;
  FakeRule rule(0.25);
  LoopSettings settings;
  settings.view = "halfed";
  const auto outcome = run(bowl, rule, settings);
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.failure().kind == support::FailureKind::Usage);
  CHECK(outcome.failure().message == "rule `fake` has no view `halfed` (did you mean `halved`?)");
  CHECK(bowl.calls == 0);
}
