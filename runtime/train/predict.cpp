// Prediction with a run's parameters on new rows, as a CSV beside them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "runtime/support/file_io.h"
#include "runtime/train/load_table.h"
#include "runtime/train/losses.h"
#include "runtime/train/model_file.h"
#include "runtime/train/network_objective.h"
#include "runtime/train/random.h"
#include "runtime/train/run_files.h"
#include "runtime/train/run_warnings.h"
#include "runtime/train/session.h"
#include "runtime/train/summary.h"
#include "runtime/train/train_plan.h"

namespace talweg::train {
namespace {

constexpr double kPercent = 100;

/// A cell, quoted where it has to be.
std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

/// What a model says of one row of outputs.
class Predictions {
 public:
  Predictions(const ModelDescription& description, const Table& table)
      : description_(description), table_(table) {}

  support::Status read_truth();
  void write_header();
  void add(std::uint32_t row, std::span<const double> outputs);
  void finish(PredictReport& report) const;
  [[nodiscard]] const std::string& csv() const { return csv_; }

 private:
  [[nodiscard]] bool is_autoencoder() const {
    return description_.model.kind == ModelSpec::Kind::Autoencoder;
  }
  void add_class(std::uint32_t row, std::span<const double> outputs);
  void add_number(std::uint32_t row, double output);
  void add_reconstruction(std::uint32_t row, std::span<const double> outputs);

  const ModelDescription& description_;
  const Table& table_;
  std::vector<double> numbers_;  // truth, where the file has it
  std::vector<std::uint32_t> labels_;
  std::vector<std::uint64_t> confusion_;
  double squared_error_ = 0;
  std::string csv_;
};

support::Status Predictions::read_truth() {
  if (!table_.has_target() || is_autoencoder()) return support::ok();
  if (description_.classes.empty()) {
    auto numbers = number_targets(table_);
    if (!numbers) return numbers.failure();
    numbers_ = std::move(*numbers);
    return support::ok();
  }
  auto targets = class_targets(table_, description_.classes);
  if (!targets) return targets.failure();
  labels_ = std::move(targets->labels);
  confusion_.assign(description_.classes.size() * description_.classes.size(), 0);
  return support::ok();
}

void Predictions::write_header() {
  csv_ = "row";
  if (is_autoencoder()) {
    csv_ += ",mean_squared_error";
    for (const std::string& name : description_.feature_names) csv_ += ',' + csv_cell(name);
  } else if (description_.classes.empty()) {
    csv_ += ",prediction";
  } else {
    csv_ += ",prediction,probability";
    for (const std::string& name : description_.classes) {
      csv_ += ',' + csv_cell("probability_" + name);
    }
  }
  csv_ += '\n';
}

void Predictions::add_class(std::uint32_t row, std::span<const double> outputs) {
  std::vector<double> probabilities(outputs.begin(), outputs.end());
  const std::uint32_t predicted = predicted_class(outputs);
  if (outputs.size() == 1) {
    probabilities = {sigmoid(-outputs[0]), sigmoid(outputs[0])};
  } else {
    softmax(probabilities);
  }
  csv_ += fmt::format(",{},{:.9g}", csv_cell(description_.classes[predicted]),
                      probabilities[predicted]);
  for (const double probability : probabilities) csv_ += fmt::format(",{:.9g}", probability);
  if (!labels_.empty()) ++confusion_[labels_[row] * description_.classes.size() + predicted];
}

void Predictions::add_number(std::uint32_t row, double output) {
  csv_ += fmt::format(",{:.9g}", output);
  if (!numbers_.empty()) squared_error_ += (output - numbers_[row]) * (output - numbers_[row]);
}

/// In the units of the file; the error in those of the model. A feature that was constant in
/// training has factor 0 and comes back as that constant.
void Predictions::add_reconstruction(std::uint32_t row, std::span<const double> outputs) {
  const Scaling& scaling = description_.scaling;
  const std::size_t columns = outputs.size();
  std::string cells;
  double error = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    const double value =
        description_.network.loss == Loss::BinaryCrossEntropy ? sigmoid(outputs[c]) : outputs[c];
    const double raw = table_.features[row * columns + c];
    const double difference = value - (raw - scaling.offset[c]) * scaling.factor[c];
    error += difference * difference / static_cast<double>(columns);
    const double unscaled = scaling.factor[c] == 0 ? 0 : value / scaling.factor[c];
    cells += fmt::format(",{:.9g}", unscaled + scaling.offset[c]);
  }
  csv_ += fmt::format(",{:.9g}", error) + cells;
  squared_error_ += error;
}

void Predictions::add(std::uint32_t row, std::span<const double> outputs) {
  csv_ += std::to_string(row + 1);
  if (is_autoencoder()) {
    add_reconstruction(row, outputs);
  } else if (description_.classes.empty()) {
    add_number(row, outputs[0]);
  } else {
    add_class(row, outputs);
  }
  csv_ += '\n';
}

void Predictions::finish(PredictReport& report) const {
  report.samples = table_.rows;
  report.text = fmt::format("{} rows predicted in {}\n", table_.rows, report.file);
  if (is_autoencoder() || !numbers_.empty()) {
    report.mean_squared_error = squared_error_ / table_.rows;
    report.text += fmt::format("mean squared error {:.6g}\n", *report.mean_squared_error);
  }
  if (!confusion_.empty()) {
    report.confusion = Confusion{description_.classes, confusion_};
    std::uint64_t correct = 0;
    for (std::size_t i = 0; i < description_.classes.size(); ++i) {
      correct += confusion_[i * (description_.classes.size() + 1)];
    }
    report.accuracy = static_cast<double>(correct) / table_.rows;
    report.text += fmt::format("accuracy {:.2f} %\n", kPercent * *report.accuracy);
    if (const auto confused = confusion_text(*report.confusion); !confused.empty()) {
      report.text += confused + "\n";
    }
  }
  if (!table_.unused_columns.empty()) {
    report.text +=
        fmt::format("columns the model does not use: {}\n", fmt::join(table_.unused_columns, ", "));
  }
}

template <class Scalar>
support::Status predict_rows(const ModelFile& model, const std::string& source, const Table& table,
                             Predictions& predictions) {
  constexpr std::uint32_t kBlockRows = 1024;
  Network<Scalar> network(model.description.network);
  if (auto status = copy_parameters(model.tensors, source, network.parameters(), model.dtype, {});
      !status) {
    return status;
  }
  const std::vector<std::uint32_t> rows = sequence(table.rows);
  const std::size_t width = model.description.network.widths.back();
  for (std::uint32_t first = 0; first < table.rows; first += kBlockRows) {
    const std::uint32_t count = std::min(kBlockRows, table.rows - first);
    const auto samples = scaled_samples<Scalar>(table, model.description.scaling,
                                                std::span(rows).subspan(first, count));
    const std::span<const Scalar> outputs = network.forward(samples.features, count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto row = outputs.subspan(i * width, width);
      predictions.add(first + i, std::vector<double>(row.begin(), row.end()));
    }
  }
  return support::ok();
}

/// The parameter file of a run given by its folder or that file.
std::filesystem::path parameter_path(const std::string& run) {
  std::error_code error;
  const std::filesystem::path path(run);
  return std::filesystem::is_directory(path, error) ? path / kParametersFile : path;
}

support::Result<Table> load_rows(const PredictSettings& settings,
                                 const ModelDescription& description) {
  auto header = parse_header_mode(settings.header);
  if (!header) return header.failure();
  CsvSettings csv;
  csv.target = settings.target;
  csv.header = *header;
  csv.features = description.feature_names;
  auto loaded = load_table(settings.data, csv);
  if (!loaded) return loaded.failure();
  return std::move(loaded->table);
}

}  // namespace

support::Result<PredictReport> predict(const PredictSettings& settings) {
  const std::filesystem::path path = parameter_path(settings.run);
  auto model = read_model_file(path);
  if (!model) return model.failure();
  auto table = load_rows(settings, model->description);
  if (!table) return table.failure();
  auto status = check_range(*table, model->description.scaling, model->dtype,
                            "it is far from what the model was trained on");
  if (!status) return status.failure();
  Predictions predictions(model->description, *table);
  if (status = predictions.read_truth(); !status) return status.failure();
  predictions.write_header();
  status = model->dtype == TALWEG_F32
               ? predict_rows<float>(*model, path.string(), *table, predictions)
               : predict_rows<double>(*model, path.string(), *table, predictions);
  if (!status) return status.failure();
  PredictReport report;
  report.warnings = run_warnings(path, path != settings.run);
  report.file =
      settings.out.empty() ? (path.parent_path() / kPredictionsFile).string() : settings.out;
  if (auto written = support::write_file_atomically(report.file, predictions.csv()); !written) {
    return written.failure();
  }
  predictions.finish(report);
  return report;
}

}  // namespace talweg::train
