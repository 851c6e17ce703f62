// Trains a model that talweg knows nothing about: a damped oscillation a e^(-b x) cos(w x) fitted
// to points. The program gives the loss and its gradient as a C++ function; the rule that moves the
// parameters is written in the language and compiled here, while the program runs.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>

#include "compiler/base/diagnostic_render.h"
#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"
#include "compiler/driver/compile.h"
#include "compiler/sema/check.h"
#include "runtime/support/thread_pool.h"
#include "runtime/train/callback_objective.h"
#include "runtime/train/loop.h"

namespace {

using namespace talweg;
using Objective = train::CallbackObjective<double>;

constexpr const char* kRule = "Adam(lr = 0.05 / (1 + t / 500))";

struct Point {
  double x, y;
};

/// 60 points of 2 e^(-0.3 x) cos(1.7 x).
std::vector<Point> make_points() {
  std::vector<Point> points;
  for (int i = 0; i < 60; ++i) {
    const double x = 0.1 * i;
    points.push_back({x, 2 * std::exp(-0.3 * x) * std::cos(1.7 * x)});
  }
  return points;
}

/// Mean squared error over the points of a batch; parameters and gradients are one tensor each, in
/// the order they were added: amplitude, decay, frequency.
double loss_and_gradient(const std::vector<Point>& points, const Objective::Parameters& parameters,
                         const Objective::Gradients& gradients,
                         std::span<const std::uint32_t> batch) {
  const double amplitude = parameters[0][0];
  const double decay = parameters[1][0];
  const double frequency = parameters[2][0];
  for (const auto& gradient : gradients) gradient[0] = 0;
  double loss = 0;
  for (const std::uint32_t i : batch) {
    const auto [x, y] = points[i];
    const double envelope = std::exp(-decay * x);
    const double cosine = std::cos(frequency * x);
    const double error = amplitude * envelope * cosine - y;
    const double weight = 2 * error / static_cast<double>(batch.size());
    loss += error * error / static_cast<double>(batch.size());
    gradients[0][0] += weight * envelope * cosine;
    gradients[1][0] -= weight * amplitude * x * envelope * cosine;
    gradients[2][0] -= weight * amplitude * x * envelope * std::sin(frequency * x);
  }
  return loss;
}

/// The rule as an optimizer over the objective's parameters.
support::Result<optimizer::Optimizer> compile_optimizer(const train::Objective& objective) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules({{}, driver::find_stdlib()}, sources, diagnostics);
  const auto front_end = driver::analyze_rule(modules, sources, diagnostics, kRule);
  if (!front_end) {
    return support::Failure{support::FailureKind::Program,
                            base::render_text(diagnostics, sources, false)};
  }
  driver::CompileOptions options;
  options.compute = types::ComputeType::F64;
  auto program = driver::compile(front_end->graph, options);
  if (!program) return program.failure();
  return optimizer::Optimizer::create((*program)->image(), *program,
                                      train::optimizer_tensors(objective), 1,
                                      std::make_shared<support::ThreadPool>(1));
}

int fail(const support::Failure& failure) {
  fmt::print(stderr, "{}\n", failure.message);
  return static_cast<int>(failure.kind);
}

int run() {
  const std::vector<Point> points = make_points();
  Objective objective(
      [&](const auto& parameters, const auto& gradients, std::span<const std::uint32_t> batch) {
        return loss_and_gradient(points, parameters, gradients, batch);
      },
      static_cast<std::uint32_t>(points.size()));
  objective.add_parameter("amplitude", {}, {1});
  objective.add_parameter("decay", {}, {0.1});
  objective.add_parameter("frequency", {}, {1.5});

  auto optimizer = compile_optimizer(objective);
  if (!optimizer) return fail(optimizer.failure());

  train::LoopSettings settings;
  settings.epochs = 200;
  settings.batch = 20;
  train::LoopHooks hooks;
  hooks.on_epoch = [&](const train::EpochRecord& record) {
    if (record.epoch % 50 == 0)
      fmt::print("epoch {:3}  loss {:.3e}\n", record.epoch, record.running_loss);
  };
  const auto outcome = train::run_loop(objective, *optimizer, settings, hooks);
  if (!outcome) return fail(outcome.failure());

  const double amplitude = objective.values(0)[0];
  const double decay = objective.values(1)[0];
  const double frequency = objective.values(2)[0];
  fmt::print("{}: y = {:.4f} exp(-{:.4f} x) cos({:.4f} x)\n", kRule, amplitude, decay, frequency);
  const bool is_found = std::abs(amplitude - 2) < 1e-2 && std::abs(decay - 0.3) < 1e-2 &&
                        std::abs(frequency - 1.7) < 1e-2;
  return is_found ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main() { return run(); }
