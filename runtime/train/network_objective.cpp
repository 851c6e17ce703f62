// Batches for the network, and evaluation in blocks so that memory stays small.
#include "runtime/train/network_objective.h"

#include <algorithm>
#include <numeric>
#include <type_traits>

namespace talweg::train {
namespace {

constexpr std::uint32_t kBlockSamples = 1024;

template <class Scalar>
std::uint32_t true_class(const Samples<Scalar>& samples, std::size_t row) {
  return samples.labels.empty() ? static_cast<std::uint32_t>(samples.targets[row] > Scalar{0.5})
                                : samples.labels[row];
}

/// Whether samples have one class each: labels, or a single 0 or 1.
template <class Scalar>
bool has_classes(Loss loss, const Samples<Scalar>& samples) {
  return loss == Loss::SoftmaxCrossEntropy ||
         (loss == Loss::BinaryCrossEntropy && samples.outputs == 1);
}

}  // namespace

template <class Scalar>
std::uint32_t predicted_class(std::span<const Scalar> outputs) {
  if (outputs.size() == 1) return outputs[0] > 0 ? 1 : 0;
  return static_cast<std::uint32_t>(std::max_element(outputs.begin(), outputs.end()) -
                                    outputs.begin());
}

template <class Scalar>
NetworkObjective<Scalar>::NetworkObjective(Network<Scalar>& network,
                                           const Samples<Scalar>& training,
                                           const Samples<Scalar>& validation)
    : network_(network), training_(training), validation_(validation) {}

template <class Scalar>
talweg_dtype NetworkObjective<Scalar>::dtype() const {
  return std::is_same_v<Scalar, float> ? TALWEG_F32 : TALWEG_F64;
}

template <class Scalar>
std::span<const ParameterTensor> NetworkObjective<Scalar>::parameters() const {
  return network_.parameters();
}

template <class Scalar>
std::uint32_t NetworkObjective<Scalar>::sample_count() const {
  return training_.count;
}

template <class Scalar>
double NetworkObjective<Scalar>::loss_and_gradient(std::span<const std::uint32_t> samples,
                                                   std::span<void* const> gradients) {
  gather(training_, samples, batch_);
  return network_.loss_and_gradient(batch_, gradients);
}

template <class Scalar>
template <class Visit>
void NetworkObjective<Scalar>::for_each_block(const Samples<Scalar>& samples, const Visit& visit) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t first = 0; first < samples.count; first += kBlockSamples) {
    rows.resize(std::min(kBlockSamples, samples.count - first));
    std::iota(rows.begin(), rows.end(), first);
    gather(samples, rows, batch_);
    visit();
  }
}

template <class Scalar>
Evaluation NetworkObjective<Scalar>::evaluate(const Samples<Scalar>& samples) {
  const Loss loss = network_.spec().loss;
  const std::size_t outputs = network_.spec().widths.back();
  double loss_sum = 0;
  std::uint64_t correct = 0;
  for_each_block(samples, [&] {
    loss_sum += network_.loss(batch_) * batch_.count;
    if (!has_classes(loss, samples)) return;
    const std::span<const Scalar> logits = network_.outputs();
    for (std::size_t row = 0; row < batch_.count; ++row) {
      if (predicted_class(logits.subspan(row * outputs, outputs)) == true_class(batch_, row))
        ++correct;
    }
  });
  Evaluation evaluation{loss_sum / samples.count, std::nullopt};
  if (has_classes(loss, samples))
    evaluation.accuracy = static_cast<double>(correct) / samples.count;
  return evaluation;
}

template <class Scalar>
Evaluation NetworkObjective<Scalar>::evaluate_training() {
  return evaluate(training_);
}

template <class Scalar>
std::optional<Evaluation> NetworkObjective<Scalar>::evaluate_validation() {
  if (validation_.count == 0) return std::nullopt;
  return evaluate(validation_);
}

template <class Scalar>
std::vector<std::uint64_t> NetworkObjective<Scalar>::confusion(const Samples<Scalar>& samples) {
  if (!has_classes(network_.spec().loss, samples)) return {};
  const std::size_t outputs = network_.spec().widths.back();
  const std::size_t classes = std::max<std::size_t>(outputs, 2);
  std::vector<std::uint64_t> counts(classes * classes, 0);
  for_each_block(samples, [&] {
    const std::span<const Scalar> logits = network_.forward(batch_.features, batch_.count);
    for (std::size_t row = 0; row < batch_.count; ++row) {
      const std::uint32_t predicted = predicted_class(logits.subspan(row * outputs, outputs));
      ++counts[true_class(batch_, row) * classes + predicted];
    }
  });
  return counts;
}

template class NetworkObjective<float>;
template class NetworkObjective<double>;
template std::uint32_t predicted_class<float>(std::span<const float>);
template std::uint32_t predicted_class<double>(std::span<const double>);

}  // namespace talweg::train
