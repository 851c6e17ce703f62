// From a table and a plan to what is trained: the network, scaled samples of both parts, and what
// prediction has to know later.
#pragma once

#include <string>
#include <vector>

#include "runtime/train/model_spec.h"
#include "runtime/train/samples.h"
#include "runtime/train/scaling.h"
#include "runtime/train/split.h"
#include "runtime/train/table.h"
#include "runtime/train/train_plan.h"

namespace talweg::train {

/// What a parameter file says about its model.
struct ModelDescription {
  ModelSpec model;
  NetworkSpec network;
  std::vector<std::string> feature_names;
  Scaling scaling;
  std::string target_name;           // empty: an autoencoder
  std::vector<std::string> classes;  // empty: numbers
};

struct Problem {
  ModelDescription description;
  Split split;
  std::vector<double> target_numbers;  // [rows] of the table; MeanSquared
  std::vector<std::uint32_t> labels;   // [rows]; the cross-entropies
};

/// Decides loss, widths and scaling. `is_images` says that features are bytes. Refused (Usage):
/// widths that do not fit the data, a loss that does not fit the target; (Io): a column that cannot
/// be scaled.
support::Result<Problem> pose_problem(const TrainPlan& plan, const Table& table, bool is_images,
                                      double l2, std::uint64_t seed);

/// Fails (Io), naming row and column, if a scaled feature or a target is too large for `dtype`.
support::Status check_range(const Problem& problem, const Table& table, talweg_dtype dtype);

/// The samples of some rows: features scaled, targets as the loss takes them.
template <class Scalar>
Samples<Scalar> make_samples(const Problem& problem, const Table& table,
                             std::span<const std::uint32_t> rows) {
  const NetworkSpec& network = problem.description.network;
  Samples<Scalar> samples = scaled_samples<Scalar>(table, problem.description.scaling, rows);
  if (problem.description.model.kind == ModelSpec::Kind::Autoencoder) {
    samples.targets = samples.features;
    samples.outputs = samples.inputs;
    return samples;
  }
  for (const std::uint32_t row : rows) {
    switch (network.loss) {
      case Loss::MeanSquared:
        samples.targets.push_back(static_cast<Scalar>(problem.target_numbers[row]));
        break;
      case Loss::BinaryCrossEntropy:
        samples.targets.push_back(static_cast<Scalar>(problem.labels[row]));
        break;
      case Loss::SoftmaxCrossEntropy:
        samples.labels.push_back(problem.labels[row]);
        break;
    }
  }
  samples.outputs = network.loss == Loss::SoftmaxCrossEntropy ? 0 : 1;
  return samples;
}

}  // namespace talweg::train
