// One record in, a log line and the rest out.
#include "runtime/train/run_log.h"

#include "runtime/train/tensor_norms_text.h"

namespace talweg::train {

RunLog::RunLog(const TrainSettings& settings, const Hooks& hooks, RunFiles& files,
               const Objective& objective, std::uint64_t total_steps)
    : settings_(settings),
      hooks_(hooks),
      files_(files),
      progress_(hooks, settings.epochs, total_steps) {
  for (const ParameterTensor& tensor : objective.parameters()) tensors_.push_back(tensor.name);
}

LoopHooks RunLog::loop_hooks() {
  LoopHooks hooks;
  hooks.stop = hooks_.stop;
  hooks.on_step = [this](const StepRecord& record) { on_step(record); };
  hooks.on_epoch = [this](const EpochRecord& record) { on_epoch(record); };
  hooks.on_norms = [this](const StepNorms& norms) { on_norms(norms); };
  return hooks;
}

void RunLog::on_step(const StepRecord& record) {
  training_.add(record.step, record.loss);
  if (settings_.log_steps) {
    files_.log({{"event", "step"},
                {"step", record.step},
                {"epoch", record.epoch},
                {"samples", record.samples},
                {"loss", json_number(record.loss)}});
  }
  progress_.on_step(record);
  if (hooks_.on_step) hooks_.on_step(record);
}

void RunLog::on_epoch(const EpochRecord& record) {
  if (record.validation_loss) {
    validation_.push_back({static_cast<double>(record.step), *record.validation_loss});
  }
  Json entry = {{"event", "epoch"},
                {"epoch", record.epoch},
                {"step", record.step},
                {"loss", json_number(record.running_loss)}};
  if (record.validation_loss) entry["validation_loss"] = json_number(*record.validation_loss);
  if (record.validation_accuracy)
    entry["validation_accuracy"] = json_number(*record.validation_accuracy);
  entry["best"] = record.is_best;
  files_.log(entry);
  files_.flush();
  progress_.on_epoch(record);
  if (hooks_.on_epoch) hooks_.on_epoch(record);
}

void RunLog::on_norms(const StepNorms& norms) {
  Json entry = {{"event", "norms"}};
  entry.update(to_json(tensors_, norms));
  files_.log(entry);
  if (!norms_) norms_ = RunNorms{tensors_, norms, {}};
  norms_->last = norms;
}

}  // namespace talweg::train
