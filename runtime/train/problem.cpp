// The decisions that depend on the data: which loss, how many inputs and outputs, how to scale.
#include "runtime/train/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/train/number_text.h"

namespace talweg::train {
namespace {

using Kind = ModelSpec::Kind;

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

/// Whether one output stands for two classes: the target has two values, or is no number anywhere.
bool is_two_classes(const Table& table) {
  if (table.target_text.empty()) return false;
  std::set<std::string_view> values;
  for (const std::string& text : table.target_text) {
    values.insert(text);
    if (values.size() > 2) break;
  }
  return values.size() == 2 || !parse_number(table.target_text.front());
}

Loss choose_loss(const TrainPlan& plan, const Table& table) {
  if (plan.loss) return *plan.loss;
  switch (plan.model.kind) {
    case Kind::Linear:
    case Kind::Autoencoder:
    case Kind::Function:
      return Loss::MeanSquared;
    case Kind::Logistic:
      return Loss::BinaryCrossEntropy;
    case Kind::Softmax:
      return Loss::SoftmaxCrossEntropy;
    case Kind::Perceptron:
      break;
  }
  if (plan.model.widths.back() > 1) return Loss::SoftmaxCrossEntropy;
  return is_two_classes(table) ? Loss::BinaryCrossEntropy : Loss::MeanSquared;
}

ScaleSpec choose_scale(const TrainPlan& plan, bool is_images) {
  if (plan.scale) return *plan.scale;
  constexpr double kGreatestByte = 255;
  if (is_images) return {ScaleSpec::Kind::Divide, kGreatestByte};
  if (plan.model.kind == Kind::Autoencoder) return {ScaleSpec::Kind::Max};
  return {plan.generated ? ScaleSpec::Kind::None : ScaleSpec::Kind::Standard};
}

support::Status read_targets(const Table& table, Problem& problem) {
  ModelDescription& description = problem.description;
  if (description.model.kind == Kind::Autoencoder) return support::ok();
  description.target_name = table.target_name;
  if (description.network.loss == Loss::MeanSquared) {
    auto numbers = number_targets(table);
    if (!numbers) return numbers.failure();
    problem.target_numbers = std::move(*numbers);
    return support::ok();
  }
  auto targets = class_targets(table);
  if (!targets) return targets.failure();
  description.classes = std::move(targets->classes);
  problem.labels = std::move(targets->labels);
  if (description.network.loss == Loss::BinaryCrossEntropy && description.classes.size() != 2) {
    return usage(
        fmt::format("the target `{}` has {} classes; the binary loss (logistic, or an mlp with "
                    "one output) needs 2: use softmax, or an mlp with {} outputs",
                    table.target_name, description.classes.size(), description.classes.size()));
  }
  return support::ok();
}

/// Widths of a network for these data; given ones must fit.
support::Status fit_widths(const Table& table, ModelDescription& description) {
  const bool is_softmax = description.network.loss == Loss::SoftmaxCrossEntropy;
  const auto outputs = static_cast<std::uint32_t>(is_softmax ? description.classes.size() : 1);
  std::vector<std::uint32_t>& widths = description.network.widths;
  widths = description.model.widths;
  if (widths.empty()) {
    widths = {table.columns(), outputs};
    return support::ok();
  }
  if (widths.front() != table.columns()) {
    return usage(
        fmt::format("--model {} has {} inputs, but {} has {} features: write {} as the first width",
                    to_text(description.model), widths.front(), table.source, table.columns(),
                    table.columns()));
  }
  if (description.model.kind == Kind::Autoencoder || widths.back() == outputs) return support::ok();
  const std::string why =
      is_softmax ? fmt::format("the target `{}` has {} classes", table.target_name, outputs)
                 : fmt::format("the loss {} takes one", name(description.network.loss));
  return usage(fmt::format("--model {} has {} outputs, but {}: write {} as the last width",
                           to_text(description.model), widths.back(), why, outputs));
}

/// Binary cross-entropy of a reconstruction is a cross-entropy only for values from 0 to 1.
support::Status check_unit_range(const Problem& problem, const Table& table) {
  const ModelDescription& description = problem.description;
  if (description.model.kind != Kind::Autoencoder ||
      description.network.loss != Loss::BinaryCrossEntropy) {
    return support::ok();
  }
  const std::size_t columns = table.columns();
  for (std::size_t i = 0; i < table.features.size(); ++i) {
    const std::size_t c = i % columns;
    const double value =
        (table.features[i] - description.scaling.offset[c]) * description.scaling.factor[c];
    if (value >= 0 && value <= 1) continue;
    return usage(fmt::format(
        "an autoencoder with the binary loss needs features from 0 to 1, but `{}` is {} in row "
        "{} after scaling; use --scale max, or --loss mse",
        table.feature_names[c], value, i / columns + 1));
  }
  return support::ok();
}

}  // namespace

support::Result<Problem> pose_problem(const TrainPlan& plan, const Table& table, bool is_images,
                                      double l2, std::uint64_t seed) {
  Problem problem;
  ModelDescription& description = problem.description;
  description.model = plan.model;
  description.feature_names = table.feature_names;
  description.network.activation = plan.model.activation;
  description.network.loss = choose_loss(plan, table);
  description.network.l2 = l2;
  if (auto status = read_targets(table, problem); !status) return status.failure();
  if (auto status = fit_widths(table, description); !status) return status.failure();
  auto split = split_rows(plan.split, table.rows, seed);
  if (!split) return split.failure();
  problem.split = std::move(*split);
  auto scaling = fit_scaling(choose_scale(plan, is_images), table, problem.split.training);
  if (!scaling) return scaling.failure();
  description.scaling = std::move(*scaling);
  if (auto status = check_unit_range(problem, table); !status) return status.failure();
  return problem;
}

support::Status check_range(const Problem& problem, const Table& table, talweg_dtype dtype) {
  const bool is_float = dtype == TALWEG_F32;
  const std::string_view advice =
      is_float ? "scale the features (--scale) or compute in float64 (--dtype float64)"
               : "scale the features (--scale)";
  if (auto status = check_range(table, problem.description.scaling, dtype, advice); !status)
    return status;
  for (std::size_t row = 0; row < problem.target_numbers.size(); ++row) {
    const double target = problem.target_numbers[row];
    if (std::abs(target) <= greatest_value(dtype)) continue;
    return support::Failure{
        support::FailureKind::Io,
        fmt::format("{}: the target `{}` is {}, too large for a float32; write it in a larger "
                    "unit or compute in float64 (--dtype float64)",
                    row_place(table, row), table.target_name, target)};
  }
  return support::ok();
}

}  // namespace talweg::train
