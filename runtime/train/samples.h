// Scaled data in the type a network computes in, and batches gathered from them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/train/scaling.h"
#include "runtime/train/table.h"

namespace talweg::train {

/// Rows of features, and either target values [count, outputs] or a class label a row.
template <class Scalar>
struct Samples {
  std::uint32_t count = 0;
  std::uint32_t inputs = 0;
  std::uint32_t outputs = 0;          // of `targets`; 0 with labels
  std::vector<Scalar> features;       // [count, inputs]
  std::vector<Scalar> targets;        // [count, outputs]
  std::vector<std::uint32_t> labels;  // [count], SoftmaxCrossEntropy
};

/// The features of some rows, scaled in float64 and rounded once. No targets yet.
template <class Scalar>
Samples<Scalar> scaled_samples(const Table& table, const Scaling& scaling,
                               std::span<const std::uint32_t> rows) {
  Samples<Scalar> samples;
  samples.count = static_cast<std::uint32_t>(rows.size());
  samples.inputs = table.columns();
  samples.features.reserve(rows.size() * samples.inputs);
  for (const std::uint32_t row : rows) {
    const double* raw = table.features.data() + std::size_t{row} * samples.inputs;
    for (std::uint32_t c = 0; c < samples.inputs; ++c) {
      samples.features.push_back(
          static_cast<Scalar>((raw[c] - scaling.offset[c]) * scaling.factor[c]));
    }
  }
  return samples;
}

/// The rows `chosen` of `from`, in that order, into `batch` (whose memory is used again).
template <class Scalar>
void gather(const Samples<Scalar>& from, std::span<const std::uint32_t> chosen,
            Samples<Scalar>& batch) {
  batch.count = static_cast<std::uint32_t>(chosen.size());
  batch.inputs = from.inputs;
  batch.outputs = from.outputs;
  batch.features.clear();
  batch.targets.clear();
  batch.labels.clear();
  for (const std::uint32_t row : chosen) {
    const auto features = from.features.begin() + std::ptrdiff_t{row} * from.inputs;
    batch.features.insert(batch.features.end(), features, features + from.inputs);
    const auto targets = from.targets.begin() + std::ptrdiff_t{row} * from.outputs;
    batch.targets.insert(batch.targets.end(), targets, targets + from.outputs);
    if (!from.labels.empty()) batch.labels.push_back(from.labels[row]);
  }
}

}  // namespace talweg::train
