// Training from settings: on data through a network, or on a test function.
#include "runtime/train/session.h"

#include <fmt/format.h>

#include <filesystem>

#include "runtime/train/groups.h"
#include "runtime/train/load_table.h"
#include "runtime/train/model_file.h"
#include "runtime/train/model_memory.h"
#include "runtime/train/network_objective.h"
#include "runtime/train/objective_run.h"
#include "runtime/train/run_files.h"
#include "runtime/train/test_functions.h"
#include "runtime/train/train_plan.h"
#include "runtime/train/trajectory.h"

namespace talweg::train {
namespace {

support::Status check_file(std::string_view flag, const std::string& path) {
  std::error_code error;
  if (path.empty() || std::filesystem::exists(path, error)) return support::ok();
  return support::Failure{support::FailureKind::Io,
                          fmt::format("{} {}: there is no such file", flag, path)};
}

support::Result<LoadedTable> load(const TrainSettings& settings, const TrainPlan& plan) {
  if (plan.generated) return LoadedTable{generate(*plan.generated, settings.seed), false};
  CsvSettings csv;
  csv.target = settings.target;
  csv.header = plan.header;
  csv.missing = plan.missing;
  return load_table(settings.data, csv);
}

std::vector<std::string> data_warnings(const TrainSettings& settings, const Table& table,
                                       const Split& split) {
  std::vector<std::string> warnings;
  if (table.dropped_rows > 0) {
    warnings.push_back(fmt::format("{} of {} rows were left out for missing values",
                                   table.dropped_rows, table.dropped_rows + table.rows));
  }
  if (settings.batch > split.training.size()) {
    warnings.push_back(
        fmt::format("the batch of {} is larger than the training part of {}: every step sees all "
                    "of it",
                    settings.batch, split.training.size()));
  }
  return warnings;
}

template <class Scalar>
support::Status start_network(const TrainSettings& settings, const TrainPlan& plan,
                              Network<Scalar>& network, talweg_dtype dtype) {
  initialise(network, plan.initialisation, settings.seed);
  for (const std::string& pattern : settings.init_skip) {
    if (auto status = check_pattern("--init-skip", pattern, network.parameters()); !status)
      return status;
  }
  if (settings.init.empty()) return support::ok();
  auto file = checkpoint::Safetensors::read(settings.init);
  if (!file) return file.failure();
  return copy_parameters(*file, settings.init, network.parameters(), dtype, settings.init_skip);
}

template <class Scalar>
support::Result<TrainReport> train_network(const RunInputs& run, const Problem& problem,
                                           const Table& table) {
  const auto training = make_samples<Scalar>(problem, table, problem.split.training);
  const auto validation = make_samples<Scalar>(problem, table, problem.split.validation);
  Network<Scalar> network(problem.description.network);
  NetworkObjective<Scalar> objective(network, training, validation);
  if (auto status = start_network(run.settings, run.plan, network, objective.dtype()); !status) {
    return status.failure();
  }
  TrainReport report;
  report.training_samples = training.count;
  report.validation_samples = validation.count;
  report.warnings = data_warnings(run.settings, table, problem.split);
  const auto add_confusion = [&](TrainReport& ended, Json&, RunFiles&) -> support::Status {
    const std::vector<std::string>& classes = problem.description.classes;
    if (classes.empty()) return support::ok();
    ended.confusion =
        Confusion{classes, objective.confusion(validation.count > 0 ? validation : training)};
    return support::ok();
  };
  return run_objective(run, objective, std::move(report), add_confusion);
}

support::Result<TrainReport> train_on_data(RunInputs run) {
  auto loaded = load(run.settings, run.plan);
  if (!loaded) return loaded.failure();
  const Table& table = loaded->table;
  auto problem =
      pose_problem(run.plan, table, loaded->is_images, run.settings.l2, run.settings.seed);
  if (!problem) return problem.failure();
  if (auto status = check_memory(problem->description.network, run.settings.dtype); !status)
    return status.failure();
  if (auto status = check_range(*problem, table, run.settings.dtype); !status)
    return status.failure();
  run.description = &problem->description;
  return run.settings.dtype == TALWEG_F32 ? train_network<float>(run, *problem, table)
                                          : train_network<double>(run, *problem, table);
}

/// On a test function; the points become a file of the run.
template <class Scalar>
support::Result<TrainReport> train_function(const RunInputs& run) {
  auto function = find_test_function(run.plan.model.function);
  if (!function) return function.failure();
  auto objective = function_objective<Scalar>(**function, run.settings.start);
  if (!objective) return objective.failure();
  std::string csv = trajectory_header(objective->values(0).size());
  const auto note = [&](std::uint64_t step) {
    if (!run.settings.out.empty())
      csv += trajectory_line(point_after(step, **function, *objective));
  };
  note(0);
  Hooks hooks = run.hooks;
  hooks.on_step = [&](const StepRecord& record) {
    note(record.step);
    if (run.hooks.on_step) run.hooks.on_step(record);
  };
  TrainReport report;
  report.training_samples = 1;
  const RunInputs noting{run.settings, run.plan, run.make_optimizer, hooks, run.start, nullptr};
  return run_objective(
      noting, *objective, std::move(report),
      [&](TrainReport&, Json&, RunFiles& files) { return files.write(kTrajectoryFile, csv); });
}

support::Result<TrainPlan> checked_plan(const TrainSettings& settings) {
  auto plan = read_settings(settings);
  if (!plan) return plan;
  if (!plan->generated) {
    if (auto status = check_file("--data", settings.data); !status) return status.failure();
  }
  if (auto status = check_file("--init", settings.init); !status) return status.failure();
  if (auto status = check_run_folder(settings.out, settings.overwrite); !status)
    return status.failure();
  return plan;
}

}  // namespace

support::Status check(const TrainSettings& settings) {
  auto plan = checked_plan(settings);
  if (!plan) return plan.failure();
  return support::ok();
}

support::Result<TrainReport> train(const TrainSettings& settings,
                                   const OptimizerFactory& make_optimizer, const Hooks& hooks) {
  const RunClock::time_point start = RunClock::now();
  auto plan = checked_plan(settings);
  if (!plan) return plan.failure();
  const RunInputs run{settings, *plan, make_optimizer, hooks, start, nullptr};
  if (plan->model.kind != ModelSpec::Kind::Function) return train_on_data(run);
  return settings.dtype == TALWEG_F32 ? train_function<float>(run) : train_function<double>(run);
}

}  // namespace talweg::train
