// The order of a run: groups and optimizer, then the folder, then the loop, then the files.
#include "runtime/train/objective_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/train/batches.h"
#include "runtime/train/groups.h"
#include "runtime/train/loss_plot.h"
#include "runtime/train/model_file.h"
#include "runtime/train/run_log.h"
#include "runtime/train/summary.h"

namespace talweg::train {
namespace {

/// Steps of a whole run, for the progress line.
std::uint64_t total_steps(const LoopSettings& loop, std::uint32_t samples) {
  auto batches = BatchPlan::create(loop, samples);
  if (!batches) return 0;
  batches->start(0);
  const std::uint64_t count = std::max<std::uint64_t>(1, batches->count());
  const std::uint64_t steps = loop.epochs > UINT64_MAX / count ? UINT64_MAX : loop.epochs * count;
  return loop.max_steps > 0 ? std::min(loop.max_steps, steps) : steps;
}

PartResults evaluate(Objective& objective) {
  PartResults results;
  const Evaluation training = objective.evaluate_training();
  results.training_loss = training.loss;
  results.training_accuracy = training.accuracy;
  if (const auto validation = objective.evaluate_validation()) {
    results.validation_loss = validation->loss;
    results.validation_accuracy = validation->accuracy;
  }
  return results;
}

class Run {
 public:
  Run(const RunInputs& inputs, Objective& objective, TrainReport report)
      : inputs_(inputs),
        objective_(objective),
        report_(std::move(report)),
        loop_(inputs.plan.loop) {}

  support::Result<TrainReport> run(const RunEnding& ending);

 private:
  support::Result<optimizer::Optimizer> prepare();
  support::Status run_to_the_end(optimizer::Optimizer& optimizer, RunLog& log);
  support::Status put_view_in_place();
  support::Status write_files(const RunLog& log, const RunEnding& ending);
  [[nodiscard]] support::Failure not_finite() const;

  const RunInputs& inputs_;
  Objective& objective_;
  TrainReport report_;
  LoopSettings loop_;
  RunFiles files_;
  std::string reason_;
  std::optional<ParameterCopy> view_;  // at the end of the loop
};

support::Result<optimizer::Optimizer> Run::prepare() {
  auto grouping =
      assign_groups(objective_.parameters(), inputs_.plan.groups, inputs_.settings.freeze);
  if (!grouping) return grouping.failure();
  loop_.frozen = std::move(grouping->frozen);
  for (const ParameterTensor& tensor : objective_.parameters())
    report_.parameters += tensor.elements;
  if (auto batches = BatchPlan::create(loop_, objective_.sample_count()); !batches) {
    return batches.failure();
  }
  auto optimizer = inputs_.make_optimizer(optimizer_tensors(objective_, grouping->groups),
                                          grouping->group_count, objective_.dtype());
  if (!optimizer) return optimizer.failure();
  if (!loop_.view.empty())
    if (auto status = optimizer->check_view(loop_.view); !status) return status.failure();
  if (auto status = set_group_hypers(*optimizer, inputs_.plan.groups); !status)
    return status.failure();
  auto files = RunFiles::open(inputs_.settings.out, inputs_.settings.overwrite);
  if (!files) return files.failure();
  files_ = std::move(*files);
  return optimizer;
}

support::Status Run::run_to_the_end(optimizer::Optimizer& optimizer, RunLog& log) {
  files_.log({{"event", "start"},
              {"model", inputs_.settings.model},
              {"parameters", report_.parameters},
              {"training_samples", report_.training_samples},
              {"validation_samples", report_.validation_samples}});
  auto outcome = run_loop(objective_, optimizer, loop_, log.loop_hooks());
  log.finish_progress();
  report_.norms = log.norms();
  if (!outcome) {
    files_.log({{"event", "failed"}, {"reason", outcome.failure().message}});
    files_.flush();
    return outcome.failure();
  }
  report_.cause = outcome->cause;
  report_.steps = outcome->steps;
  report_.held = outcome->held;
  report_.skipped = outcome->skipped;
  report_.extra_evaluations = outcome->extra_evaluations;
  report_.epochs = outcome->epochs;
  report_.first_loss = outcome->first_loss.value_or(0);
  report_.best_epoch = outcome->best_epoch;
  report_.times = outcome->times;
  reason_ = outcome->reason;
  view_ = std::move(outcome->view);
  return support::ok();
}

/// From here on the view is what the model is: it is evaluated, shown and saved. The parameters
/// themselves have a file of their own.
support::Status Run::put_view_in_place() {
  if (!view_) return support::ok();
  report_.raw = evaluate(objective_);
  if (files_.is_kept())
    if (auto status =
            save_parameters(files_.path(kRawParametersFile), objective_, inputs_.description);
        !status)
      return status;
  view_->put_back(objective_);
  return support::ok();
}

support::Status Run::write_files(const RunLog& log, const RunEnding& ending) {
  if (files_.is_kept()) {
    if (auto status =
            save_parameters(files_.path(kParametersFile), objective_, inputs_.description);
        !status) {
      return status;
    }
    files_.add(kParametersFile);
    if (view_) files_.add(kRawParametersFile);
  }
  const LossPlot plot{fmt::format("{}: loss", inputs_.settings.model), log.training_curve(),
                      log.validation_curve()};
  if (auto status = files_.write(kPlotFile, loss_plot_svg(plot)); !status) return status;
  Json summary;
  if (auto status = ending(report_, summary, files_); !status) return status;
  report_.total_seconds = std::chrono::duration<double>(RunClock::now() - inputs_.start).count();
  summary.update(summary_json(inputs_.settings, report_, inputs_.description, reason_));
  if (auto status = files_.write(kSummaryFile, json_text(summary, 2) + "\n"); !status)
    return status;
  Json end = {{"event", "end"},
              {"cause", stop_cause_name(report_.cause)},
              {"steps", report_.steps},
              {"loss", json_number(report_.training_loss)},
              {"reason", reason_}};
  if (report_.held > 0) end["held_steps"] = report_.held;
  if (report_.skipped > 0) end["skipped_steps"] = report_.skipped;
  if (report_.extra_evaluations > 0) end["extra_evaluations"] = report_.extra_evaluations;
  files_.log(end);
  if (auto status = files_.close_log(); !status) return status;
  report_.files = files_.written();
  return support::ok();
}

support::Failure Run::not_finite() const {
  std::string message = reason_;
  if (files_.is_kept()) {
    message +=
        fmt::format(". The parameters of before are in {}", files_.path(kParametersFile).string());
    if (view_) message += fmt::format(" (view `{}`) and {}", loop_.view, kRawParametersFile);
  }
  return {support::FailureKind::Numeric, std::move(message)};
}

support::Result<TrainReport> Run::run(const RunEnding& ending) {
  auto optimizer = prepare();
  if (!optimizer) return optimizer.failure();
  RunLog log(inputs_.settings, inputs_.hooks, files_, objective_,
             total_steps(loop_, objective_.sample_count()));
  if (auto status = run_to_the_end(*optimizer, log); !status) return status.failure();
  if (auto status = put_view_in_place(); !status) return status.failure();
  static_cast<PartResults&>(report_) = evaluate(objective_);
  if (auto status = write_files(log, ending); !status) return status.failure();
  if (report_.cause == StopCause::NotFinite) return not_finite();
  report_.text = summary_text(inputs_.settings, report_, objective_);
  return std::move(report_);
}

}  // namespace

support::Result<TrainReport> run_objective(const RunInputs& inputs, Objective& objective,
                                           TrainReport report, const RunEnding& ending) {
  return Run(inputs, objective, std::move(report)).run(ending);
}

}  // namespace talweg::train
