// Rules that move the parameters for another gradient: what the loop computes, records and undoes.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "runtime/train/callback_objective.h"
#include "runtime/train/loop.h"
#include "tests/train/fake_rule.h"
#include "tests/train/runs.h"
#include "tests/train/temporary_folder.h"

using namespace talweg;
using namespace talweg::train;
using namespace talweg::train::testing;

namespace {

constexpr double kLr = 0.25, kRho = 0.0625;

/// 2 x^2 + y^2 / 2 from (1, 4), which counts how often it is asked.
struct Valley {
  CallbackObjective<double> objective;
  std::uint64_t calls = 0;
  std::vector<std::vector<std::uint32_t>> seen;
  std::uint64_t nan_loss_at = 0, nan_gradient_at = 0, throws_at = 0;

  Valley()
      : objective(
            [this](const auto& p, const auto& g, std::span<const std::uint32_t> samples) {
              ++calls;
              seen.emplace_back(samples.begin(), samples.end());
              if (calls == throws_at) throw std::runtime_error("no data");
              const double x = p[0][0];
              const double y = p[1][0];
              g[0][0] = calls == nan_gradient_at ? NAN : 4 * x;
              g[1][0] = y;
              return calls == nan_loss_at ? NAN : 2 * x * x + y * y / 2;
            },
            4) {
    objective.add_parameter("x", {1}, {1});
    objective.add_parameter("y", {1}, {4});
  }
  [[nodiscard]] double x() { return objective.values(0)[0]; }
  [[nodiscard]] double y() { return objective.values(1)[0]; }
};

/// What one sharpness-aware step makes of a parameter whose gradient is `slope` times itself.
double stepped(double value, double slope) {
  const double moved = value + kRho * (slope * value);
  return value - kLr * (slope * moved);
}

FakeRule aware() {
  FakeRule rule(kLr);
  rule.rho = kRho;
  return rule;
}

struct Ran {
  optimizer::Optimizer optimizer;
  support::Result<LoopOutcome> outcome;
};

Ran run(Valley& valley, FakeRule& rule, const LoopSettings& settings, const LoopHooks& hooks = {}) {
  auto made = fake_factory(rule)(optimizer_tensors(valley.objective), 1, TALWEG_F64);
  REQUIRE(made.ok());
  auto outcome = run_loop(valley.objective, *made, settings, hooks);
  return {std::move(*made), std::move(outcome)};
}

LoopSettings epochs(std::uint64_t count) {
  LoopSettings settings;
  settings.epochs = count;
  return settings;
}

}  // namespace

TEST_CASE("another gradient is that of the moved parameters, on the same batch") {
  Valley valley;
  FakeRule rule = aware();
  LoopSettings settings = epochs(3);
  settings.batch = 2;
  double x = 1;
  double y = 4;
  LoopHooks hooks;
  std::vector<std::optional<double>> losses;
  hooks.on_step = [&](const StepRecord& record) {
    CHECK(record.loss == 2 * x * x + y * y / 2);  // where the step began
    losses.emplace_back(record.loss);
    x = stepped(x, 4);
    y = stepped(y, 1);
    CHECK(valley.x() == x);
    CHECK(valley.y() == y);
  };
  const Ran ran = run(valley, rule, settings, hooks);
  REQUIRE(ran.outcome.ok());
  CHECK(ran.outcome->steps == 6);
  CHECK(ran.outcome->extra_evaluations == 6);
  CHECK(valley.calls == 12);
  for (std::size_t i = 0; i < 12; i += 2) CHECK(valley.seen[i] == valley.seen[i + 1]);
  CHECK(valley.seen[0] != valley.seen[2]);
  CHECK(rule.losses == losses);
  CHECK(ran.optimizer.calls() == 6);
  CHECK(ran.optimizer.steps_completed() == 6);
}

TEST_CASE("a rule that asks for none has none computed") {
  Valley valley;
  FakeRule rule(kLr);
  const Ran ran = run(valley, rule, epochs(3));
  CHECK(ran.outcome->extra_evaluations == 0);
  CHECK(valley.calls == 3);
}

TEST_CASE("a frozen tensor does not move for another gradient") {
  Valley valley;
  FakeRule rule = aware();
  LoopSettings settings = epochs(1);
  settings.frozen = {false, true};
  REQUIRE(run(valley, rule, settings).outcome.ok());
  CHECK(valley.x() == stepped(1, 4));
  CHECK(valley.y() == 4);
}

TEST_CASE("a loss that is not finite where the parameters moved undoes the step") {
  Valley valley;
  valley.nan_loss_at = 4;
  FakeRule rule = aware();
  const Ran ran = run(valley, rule, epochs(9));
  REQUIRE(ran.outcome.ok());
  CHECK(ran.outcome->cause == StopCause::NotFinite);
  CHECK(ran.outcome->steps == 1);
  CHECK(ran.outcome->last_loss == 10);
  CHECK_THAT(ran.outcome->reason,
             Catch::Contains("step 2 (epoch 2): the loss is nan where the rule moved the "
                             "parameters for another gradient"));
  CHECK(valley.x() == stepped(1, 4));
  CHECK(valley.y() == stepped(4, 1));
  CHECK_FALSE(ran.optimizer.is_waiting());
  CHECK(ran.optimizer.calls() == 1);
  CHECK(rule.losses.size() == 1);
}

TEST_CASE("a gradient that is not finite where the parameters moved is the rule's to see") {
  Valley valley;
  valley.nan_gradient_at = 4;
  FakeRule rule = aware();
  const Ran ran = run(valley, rule, epochs(9));
  REQUIRE(ran.outcome.ok());
  CHECK(ran.outcome->cause == StopCause::NotFinite);
  CHECK(ran.outcome->steps == 1);
  CHECK_THAT(ran.outcome->reason,
             Catch::Contains("step 2") &&
                 Catch::Contains("the gradient where the rule had moved the parameters already "
                                 "held nan in `x`"));
  CHECK(valley.x() == stepped(1, 4));
  CHECK(valley.y() == stepped(4, 1));
}

TEST_CASE("parameters that an update behind a moved point spoils are those of before the step") {
  Valley valley;
  FakeRule rule = aware();
  rule.poison_step = 2;
  const Ran ran = run(valley, rule, epochs(9));
  CHECK(ran.outcome->cause == StopCause::NotFinite);
  CHECK_THAT(ran.outcome->reason, Catch::Contains("the gradient was finite"));
  CHECK(valley.x() == stepped(1, 4));
  CHECK(valley.y() == stepped(4, 1));
}

TEST_CASE("an objective that throws where the parameters moved leaves them as they were") {
  Valley valley;
  valley.throws_at = 2;
  FakeRule rule = aware();
  auto optimizer = fake_factory(rule)(optimizer_tensors(valley.objective), 1, TALWEG_F64);
  REQUIRE(optimizer.ok());
  CHECK_THROWS_WITH(run_loop(valley.objective, *optimizer, epochs(1)), "no data");
  CHECK_FALSE(optimizer->is_waiting());
  CHECK(valley.x() == 1);
  CHECK(valley.y() == 4);
}

TEST_CASE("norms are of the first gradient of a step") {
  Valley valley;
  FakeRule rule = aware();
  LoopSettings settings = epochs(1);
  settings.norms = NormsIn::EveryStep;
  std::vector<StepNorms> found;
  LoopHooks hooks;
  hooks.on_norms = [&](const StepNorms& norms) { found.push_back(norms); };
  REQUIRE(run(valley, rule, settings, hooks).outcome.ok());
  REQUIRE(found.size() == 1);
  CHECK(found[0].tensors[0].gradient == 4);
  CHECK(found[0].tensors[0].parameter == 1);
  CHECK(found[0].tensors[0].update == 1 - stepped(1, 4));
  CHECK(found[0].tensors[1].gradient == 4);
}

TEST_CASE("a run says how many further gradients it took") {
  const TemporaryFolder folder;
  FakeRule rule = aware();
  const TrainSettings settings = iris(folder.path());
  const auto report = train::train(settings, fake_factory(rule));
  REQUIRE(report.ok());
  CHECK(report->extra_evaluations == report->steps);
  CHECK_THAT(report->text,
             Catch::Contains("(" + std::to_string(report->steps) + " further gradients)"));
  const auto summary = nlohmann::json::parse(contents(folder.path() / "summary.json"));
  CHECK(summary["extra_evaluations"] == report->steps);
  CHECK_THAT(contents(folder.path() / "log.jsonl"), Catch::Contains("\"extra_evaluations\":"));

  const TemporaryFolder plain;
  const TrainReport without = must_train(iris(plain.path()), 0.1);
  CHECK(without.text.find("further") == std::string::npos);
  CHECK(contents(plain.path() / "summary.json").find("extra_evaluations") == std::string::npos);
}
