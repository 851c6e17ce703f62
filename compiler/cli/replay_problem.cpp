// Replays a small training problem through the loop that `talweg train` runs.
#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <memory>

#include "compiler/cli/optimizer_factory.h"
#include "compiler/cli/replay_quadratic.h"
#include "compiler/cli/replay_run.h"
#include "runtime/train/loop.h"
#include "runtime/train/network_objective.h"
#include "runtime/train/test_functions.h"

namespace talweg::cli {

namespace {

support::Failure unknown_problem(const ReplayCase& reference, std::string_view why) {
  return {support::FailureKind::Usage,
          fmt::format("problem `{}` cannot be replayed: {}", reference.name, why)};
}

bool says(const ReplayCase& reference, std::string_view word) {
  return reference.problem.text.find(word) != std::string::npos;
}

double hyper_or(const ReplayCase& reference, const char* name, double otherwise) {
  const auto entry = reference.hyper.find(name);
  return entry != reference.hyper.end() && entry->is_number() ? entry->get<double>() : otherwise;
}

/// The place of `W1`, `b2`, `w`: weight or bias, and its layer.
std::optional<train::ParameterPlace> place_of(const std::string& name) {
  train::ParameterPlace place;
  const int kind = name.empty() ? 0 : std::tolower(static_cast<unsigned char>(name[0]));
  if (kind != 'w' && kind != 'b') return std::nullopt;
  place.is_bias = kind == 'b';
  std::uint32_t number = 1;
  const char* end = name.data() + name.size();
  if (name.size() > 1 && std::from_chars(name.data() + 1, end, number).ptr != end)
    return std::nullopt;
  if (number < 1) return std::nullopt;
  place.layer = number - 1;
  return place;
}

struct NetworkShape {
  train::NetworkSpec spec;
  std::vector<train::ParameterLayout> layout;
};

/// The network whose tensors and text these are.
support::Result<NetworkShape> network_of(const ReplayCase& reference) {
  NetworkShape shape;
  const std::size_t layers = reference.tensors.size() / 2;
  shape.spec.widths.assign(layers + 1, 0);
  shape.spec.widths[0] = static_cast<std::uint32_t>(reference.problem.inputs);
  for (const CaseTensor& tensor : reference.tensors) {
    const auto place = place_of(tensor.name);
    if (!place || place->layer >= layers)
      return unknown_problem(reference,
                             fmt::format("tensor `{}` is neither weights nor biases", tensor.name));
    if (place->is_bias)
      shape.spec.widths[place->layer + 1] = static_cast<std::uint32_t>(tensor.elements);
    shape.layout.push_back({tensor.name, tensor.shape, *place});
  }
  for (std::size_t i = 0; i < shape.layout.size(); ++i) {
    const train::ParameterPlace place = shape.layout[i].place;
    const std::uint64_t inputs = place.is_bias ? 1 : shape.spec.widths[place.layer];
    if (reference.tensors[i].elements != inputs * shape.spec.widths[place.layer + 1])
      return unknown_problem(reference, fmt::format("the size of tensor `{}` does not fit",
                                                    reference.tensors[i].name));
  }
  if (layers == 0 || 2 * layers != reference.tensors.size() || reference.problem.inputs == 0)
    return unknown_problem(reference, "its tensors are not the layers of a network");
  shape.spec.activation =
      says(reference, "tanh") ? train::Activation::Tanh : train::Activation::Relu;
  shape.spec.loss = !reference.problem.labels.empty()      ? train::Loss::SoftmaxCrossEntropy
                    : says(reference, "linear regression") ? train::Loss::MeanSquared
                                                           : train::Loss::BinaryCrossEntropy;
  shape.spec.l2 = hyper_or(reference, "l2", 0);
  return shape;
}

train::Samples<double> samples_of(const ProblemCase& problem) {
  train::Samples<double> samples;
  samples.inputs = static_cast<std::uint32_t>(problem.inputs);
  samples.features = problem.features;
  samples.labels = problem.labels;
  samples.targets = problem.targets;
  samples.outputs = problem.labels.empty() ? 1 : 0;
  samples.count = static_cast<std::uint32_t>(problem.labels.empty() ? problem.targets.size()
                                                                    : problem.labels.size());
  return samples;
}

/// Steps, epochs and batches as the case's order and hyperparameters give them.
support::Result<train::LoopSettings> settings_of(const ReplayCase& reference,
                                                 std::uint32_t samples) {
  train::LoopSettings settings;
  const auto& orders = reference.problem.orders;
  settings.order = orders;
  settings.shuffle = train::Shuffle::None;
  settings.max_steps = reference.problem.batch_loss.size();
  if (settings.max_steps == 0) return unknown_problem(reference, "it has no losses of batches");
  for (const auto& order : orders)
    for (const std::uint32_t sample : order)
      if (sample >= samples)
        return unknown_problem(reference, "its order names a sample there is not");
  const std::size_t epoch = orders.empty() ? samples : orders[0].size();
  const double batch = hyper_or(reference, "batch", 0);
  if (batch >= 1) {
    settings.batch = static_cast<std::uint64_t>(batch);
  } else if (!orders.empty()) {
    // Not written down: as many batches an epoch as make the recorded steps.
    const std::size_t batches = settings.max_steps / orders.size();
    if (batches == 0 || epoch % batches != 0)
      return unknown_problem(reference, "its batches cannot be told");
    settings.batch = epoch / batches;
  }
  settings.epochs = settings.max_steps;  // more than enough: max_steps ends the run
  return settings;
}

/// Watches a run and compares what the case recorded.
class ProblemWatch {
 public:
  ProblemWatch(const ReplayCase& reference, train::Objective& objective)
      : reference_(reference), problem_(reference.problem), objective_(objective) {
    for (std::size_t i = 0; i < reference.tensors.size(); ++i)
      for (Comparison* comparison : {&params_, &first_epoch_, &final_})
        comparison->magnitude(i, reference.start[i]);
  }

  void after_step(const train::StepRecord& record) {
    const std::size_t index = record.step - 1;
    if (index < problem_.batch_loss.size())
      one(loss_, record.step, record.loss, problem_.batch_loss[index]);
    if (index < problem_.params.size()) point(params_, record.step, problem_.params[index]);
    if (index + 1 == problem_.batch_loss.size() && !problem_.params_final.empty())
      point(final_, record.step, problem_.params_final[0]);
  }

  void after_epoch(const train::EpochRecord& record) {
    const std::size_t index = record.epoch - 1;
    if (record.epoch == 1 && !problem_.params_after_epoch_1.empty())
      point(first_epoch_, record.step, problem_.params_after_epoch_1[0]);
    if (index < problem_.epoch_loss_running.size())
      one(running_, record.step, record.running_loss, problem_.epoch_loss_running[index]);
    if (index >= problem_.epoch_loss_full.size() && index >= problem_.epoch_accuracy.size()) return;
    const train::Evaluation full = objective_.evaluate_training();
    if (index < problem_.epoch_loss_full.size())
      one(full_, record.step, full.loss, problem_.epoch_loss_full[index]);
    if (index < problem_.epoch_accuracy.size())
      one(accuracy_, record.step, full.accuracy.value_or(-1), problem_.epoch_accuracy[index]);
  }

  /// A failure if the run did not reach everything that the case recorded.
  support::Result<ReplayResult> result() const {
    ReplayResult result;
    result.tolerance = reference_.tolerance64;
    std::uint64_t expected = problem_.batch_loss.size() + problem_.epoch_loss_running.size() +
                             problem_.epoch_loss_full.size() + problem_.epoch_accuracy.size();
    std::uint64_t elements = 0;
    for (const CaseTensor& tensor : reference_.tensors) elements += tensor.elements;
    expected += elements * (problem_.params.size() + problem_.params_after_epoch_1.size() +
                            problem_.params_final.size());
    for (const Comparison* comparison :
         {&loss_, &params_, &running_, &full_, &accuracy_, &first_epoch_, &final_})
      if (comparison->compared() > 0) add(*comparison, result);
    if (result.compared != expected)
      return unknown_problem(reference_, fmt::format("its run has {} numbers, the case {}",
                                                     result.compared, expected));
    return result;
  }

 private:
  static void one(Comparison& comparison, std::uint64_t step, double ours, double truth) {
    comparison.compare(step, 0, {&ours, 1}, {&truth, 1});
  }

  void point(Comparison& comparison, std::uint64_t step, const TensorValues& truth) {
    const auto parameters = objective_.parameters();
    for (std::size_t i = 0; i < truth.size(); ++i)
      comparison.compare(step, i,
                         {static_cast<const double*>(parameters[i].data), parameters[i].elements},
                         truth[i]);
  }

  const ReplayCase& reference_;
  const ProblemCase& problem_;
  train::Objective& objective_;
  Comparison loss_{"batch loss"}, params_{"params"}, running_{"epoch loss, running"},
      full_{"epoch loss, full"}, accuracy_{"epoch accuracy"}, first_epoch_{"params after epoch 1"},
      final_{"params, final"};
};

support::Result<ReplayResult> run_problem(const ReplayCase& reference, const ReplayRun& run,
                                          train::Objective& objective) {
  const auto settings = settings_of(reference, objective.sample_count());
  if (!settings) return settings.failure();
  auto optimizer = make_optimizer(run.program, run.settings, train::optimizer_tensors(objective), 1,
                                  run.pool, run.make_core);
  if (!optimizer) return optimizer.failure();
  ProblemWatch watch(reference, objective);
  train::LoopHooks hooks;
  hooks.on_step = [&](const train::StepRecord& record) { watch.after_step(record); };
  hooks.on_epoch = [&](const train::EpochRecord& record) { watch.after_epoch(record); };
  const auto outcome = train::run_loop(objective, *optimizer, *settings, hooks);
  if (!outcome) return outcome.failure();
  if (outcome->cause == train::StopCause::NotFinite)
    return support::Failure{support::FailureKind::Numeric, outcome->reason};
  return watch.result();
}

support::Result<ReplayResult> run_quadratic(const ReplayCase& reference, const ReplayRun& run) {
  auto objective = quadratic_objective(reference);
  if (!objective) return objective.failure();
  return run_problem(reference, run, *objective);
}

support::Result<ReplayResult> run_function(const ReplayCase& reference, const ReplayRun& run,
                                           std::string_view name) {
  const auto function = train::find_test_function(name);
  if (!function || reference.start.size() != 1)
    return unknown_problem(reference, "it is neither a network nor a known test function");
  auto objective = train::function_objective<double>(**function, reference.start[0]);
  if (!objective) return objective.failure();
  return run_problem(reference, run, *objective);
}

}  // namespace

support::Result<ReplayResult> replay_problem(const ReplayCase& reference, const ReplayRun& run) {
  if (!reference.problem.quadratic.a.empty()) return run_quadratic(reference, run);
  if (reference.problem.features.empty())
    return run_function(reference, run, reference.name.substr(0, reference.name.find('_')));
  const auto shape = network_of(reference);
  if (!shape) return shape.failure();
  train::Network<double> network(shape->spec, shape->layout);
  for (std::size_t i = 0; i < reference.start.size(); ++i)
    std::copy(reference.start[i].begin(), reference.start[i].end(), network.values(i).begin());
  const train::Samples<double> samples = samples_of(reference.problem);
  const train::Samples<double> no_validation;
  train::NetworkObjective<double> objective(network, samples, no_validation);
  return run_problem(reference, run, objective);
}

}  // namespace talweg::cli
