// Writing summaries.
#include "runtime/train/summary.h"

#include <fmt/format.h>

#include <filesystem>

#include "runtime/train/tensor_norms_text.h"

namespace talweg::train {
namespace {

constexpr double kPercent = 100;

double value_at(talweg_dtype dtype, const ParameterTensor& tensor, std::uint64_t index) {
  return dtype == TALWEG_F32 ? static_cast<const float*>(tensor.data)[index]
                             : static_cast<const double*>(tensor.data)[index];
}

Json times_json(const TrainReport& report) {
  return {{"total_seconds", report.total_seconds},
          {"loop_seconds", report.times.total_seconds},
          {"gradient_seconds", report.times.gradient_seconds},
          {"optimizer_seconds", report.times.optimizer_seconds},
          {"validation_seconds", report.times.validation_seconds},
          {"optimizer_share_of_loop", report.times.optimizer_share()}};
}

Json settings_json(const TrainSettings& settings) {
  Json json = {{"model", settings.model},
               {"data", settings.data},
               {"target", settings.target},
               {"loss", settings.loss},
               {"l2", settings.l2},
               {"scale", settings.scale},
               {"epochs", settings.epochs},
               {"max_steps", settings.max_steps},
               {"batch", settings.batch},
               {"seed", settings.seed},
               {"shuffle", settings.shuffle},
               {"order", settings.order},
               {"drop_last", settings.drop_last},
               {"validation", settings.validation},
               {"patience", settings.patience},
               {"view", settings.view},
               {"groups", settings.groups},
               {"freeze", settings.freeze},
               {"initialisation", settings.initialisation},
               {"init", settings.init},
               {"dtype", settings.dtype == TALWEG_F32 ? "float32" : "float64"}};
  return json;
}

std::string count_text(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// " (300 held, 2 skipped, 700 further gradients)", or nothing.
std::string ends_text(const TrainReport& report) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view end) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, end);
  };
  add(report.held, "held");
  add(report.skipped, "skipped");
  add(report.extra_evaluations,
      report.extra_evaluations == 1 ? "further gradient" : "further gradients");
  return text.empty() ? text : " (" + text + ")";
}

std::string accuracy_text(const PartResults& results) {
  if (!results.training_accuracy) return {};
  std::string text =
      fmt::format("accuracy  {:.2f} % of the training part", kPercent * *results.training_accuracy);
  if (results.validation_accuracy) {
    text += fmt::format(", {:.2f} % held out", kPercent * *results.validation_accuracy);
  }
  return text + "\n";
}

/// What the parameters themselves give, where all else is of a view.
std::string raw_text(const std::string& view, const PartResults& raw) {
  std::string text = fmt::format(
      "view      all but the first loss is of `{}`; the parameters themselves: loss {:.6g}", view,
      raw.training_loss);
  if (raw.validation_loss) text += fmt::format(", {:.6g} held out", *raw.validation_loss);
  if (raw.training_accuracy)
    text += fmt::format("; accuracy {:.2f} %", kPercent * *raw.training_accuracy);
  if (raw.validation_accuracy)
    text += fmt::format(", {:.2f} % held out", kPercent * *raw.validation_accuracy);
  return text + "\n";
}

void add_results(Json& json, const PartResults& results) {
  json["training_loss"] = json_number(results.training_loss);
  json["training_accuracy"] = json_number(results.training_accuracy);
  json["validation_loss"] = json_number(results.validation_loss);
  json["validation_accuracy"] = json_number(results.validation_accuracy);
}

std::string times_text(const TrainReport& report) {
  const LoopTimes& times = report.times;
  const double whole = times.total_seconds > 0 ? times.total_seconds : 1;
  return fmt::format(
      "time      {:.2f} s in the loop: gradient {:.1f} %, optimizer {:.1f} %, validation {:.1f} %; "
      "{:.2f} s in all\n",
      times.total_seconds, kPercent * times.gradient_seconds / whole,
      kPercent * times.optimizer_seconds / whole, kPercent * times.validation_seconds / whole,
      report.total_seconds);
}

std::string parameters_text(const Objective& objective) {
  std::string text;
  for (const ParameterTensor& tensor : objective.parameters()) {
    text += fmt::format("{}{} =", text.empty() ? "" : "  ", tensor.name);
    for (std::uint64_t i = 0; i < tensor.elements; ++i) {
      text += fmt::format(" {:.6g}", value_at(objective.dtype(), tensor, i));
    }
  }
  return text;
}

std::string files_text(const TrainSettings& settings, const TrainReport& report) {
  std::string text = "files     in " + settings.out + ":";
  for (const std::string& file : report.files) {
    text += ' ' + std::filesystem::path(file).filename().string();
  }
  return text + "\n";
}

}  // namespace

Json to_json(const Confusion& confusion) {
  Json rows = Json::array();
  const std::size_t size = confusion.classes.size();
  for (std::size_t truth = 0; truth < size; ++truth) {
    const auto row = confusion.counts.begin() + static_cast<std::ptrdiff_t>(truth * size);
    rows.push_back(std::vector<std::uint64_t>(row, row + static_cast<std::ptrdiff_t>(size)));
  }
  return {{"classes", confusion.classes}, {"counts_by_true_then_predicted", rows}};
}

std::string confusion_text(const Confusion& confusion) {
  const std::size_t size = confusion.classes.size();
  std::size_t worst_truth = 0;
  std::size_t worst_predicted = 0;
  std::uint64_t worst = 0;
  for (std::size_t truth = 0; truth < size; ++truth) {
    for (std::size_t predicted = 0; predicted < size; ++predicted) {
      const std::uint64_t count = confusion.counts[truth * size + predicted];
      if (truth == predicted || count <= worst) continue;
      worst = count;
      worst_truth = truth;
      worst_predicted = predicted;
    }
  }
  if (worst == 0) return {};
  return fmt::format("most confused: {} as {} ({})", confusion.classes[worst_truth],
                     confusion.classes[worst_predicted], count_text(worst, "time"));
}

Json summary_json(const TrainSettings& settings, const TrainReport& report,
                  const ModelDescription* description, const std::string& reason) {
  Json summary;
  for (const auto& [key, value] : settings.description) summary[key] = value;
  summary["cause"] = stop_cause_name(report.cause);
  if (!reason.empty()) summary["reason"] = reason;
  summary["steps"] = report.steps;
  if (report.held > 0) summary["held_steps"] = report.held;
  if (report.skipped > 0) summary["skipped_steps"] = report.skipped;
  if (report.extra_evaluations > 0) summary["extra_evaluations"] = report.extra_evaluations;
  summary["epochs"] = report.epochs;
  summary["parameters"] = report.parameters;
  summary["training_samples"] = report.training_samples;
  summary["validation_samples"] = report.validation_samples;
  summary["first_loss"] = json_number(report.first_loss);
  add_results(summary, report);
  if (report.raw) {
    summary["view"] = settings.view;
    add_results(summary["raw"], *report.raw);
  }
  if (report.best_epoch) summary["best_epoch"] = *report.best_epoch;
  if (description != nullptr) {
    summary["loss"] = name(description->network.loss);
    summary["widths"] = description->network.widths;
  }
  if (report.norms) summary["norms"] = to_json(*report.norms);
  if (report.confusion) summary["confusion"] = to_json(*report.confusion);
  summary["times"] = times_json(report);
  summary["settings"] = settings_json(settings);
  summary["warnings"] = report.warnings;
  return summary;
}

std::string summary_text(const TrainSettings& settings, const TrainReport& report,
                         const Objective& objective) {
  std::string text = fmt::format("{}: {}, {} ({})\n", settings.model,
                                 count_text(report.steps, "step") + ends_text(report),
                                 count_text(report.epochs, "epoch"), stop_cause_name(report.cause));
  text +=
      fmt::format("loss      {:.6g} at first, {:.6g} now", report.first_loss, report.training_loss);
  if (report.validation_loss) text += fmt::format(", {:.6g} held out", *report.validation_loss);
  text += '\n' + accuracy_text(report);
  if (report.raw) text += raw_text(settings.view, *report.raw);
  if (report.confusion) {
    if (const std::string confused = confusion_text(*report.confusion); !confused.empty()) {
      text += "          " + confused + "\n";
    }
  }
  if (report.norms) text += norms_text(*report.norms);
  if (report.parameters <= kShownParameters) {
    text += "found     " + parameters_text(objective) + "\n";
  }
  if (!settings.device.empty()) text += "device    " + settings.device + "\n";
  text += times_text(report);
  if (!report.files.empty()) text += files_text(settings, report);
  return text;
}

}  // namespace talweg::train
