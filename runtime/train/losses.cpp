// Each loss a function of one row; means and gradients around it.
#include "runtime/train/losses.h"

#include <algorithm>
#include <cmath>

namespace talweg::train {
namespace {

template <class Scalar>
double mean_squared(const LossInput<Scalar>& input, std::span<Scalar> gradient) {
  const double share = 1.0 / (double{1} * input.count * input.outputs);
  double sum = 0;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const double error = double{input.values[i]} - double{input.targets[i]};
    sum += error * error;
    if (!gradient.empty()) gradient[i] = static_cast<Scalar>(2 * error * share);
  }
  return sum * share;
}

/// log(1 + e^z) = max(z, 0) + log(1 + e^-|z|): no overflow, and exact where e^-|z| is lost.
double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }

template <class Scalar>
double binary(const LossInput<Scalar>& input, std::span<Scalar> gradient) {
  const double share = 1.0 / (double{1} * input.count * input.outputs);
  double sum = 0;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const double z = input.values[i];
    const double target = input.targets[i];
    sum += std::isnan(z) ? z : softplus(z) - target * z;
    if (!gradient.empty()) gradient[i] = static_cast<Scalar>((sigmoid(z) - target) * share);
  }
  return sum * share;
}

template <class Scalar>
double softmax_row(std::span<const Scalar> z, std::uint32_t label, double share,
                   std::span<Scalar> gradient) {
  double greatest = z[0];
  for (const Scalar value : z) greatest = value > greatest ? double{value} : greatest;
  double sum = 0;
  for (const Scalar value : z) sum += std::exp(double{value} - greatest);
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    const double probability = std::exp(double{z[k]} - greatest) / sum;
    gradient[k] = static_cast<Scalar>((probability - (k == label ? 1.0 : 0.0)) * share);
  }
  return std::log(sum) + greatest - double{z[label]};
}

template <class Scalar>
double softmax_cross_entropy(const LossInput<Scalar>& input, std::span<Scalar> gradient) {
  const double share = 1.0 / input.count;
  double sum = 0;
  for (std::size_t row = 0; row < input.count; ++row) {
    const std::size_t start = row * input.outputs;
    sum += softmax_row(input.values.subspan(start, input.outputs), input.labels[row], share,
                       gradient.empty() ? gradient : gradient.subspan(start, input.outputs));
  }
  return sum * share;
}

}  // namespace

double sigmoid(double z) {
  const double e = std::exp(-std::abs(z));
  return (z < 0 ? e : 1) / (1 + e);
}

void softmax(std::span<double> logits) {
  const double greatest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& value : logits) sum += value = std::exp(value - greatest);
  for (double& value : logits) value /= sum;
}

template <class Scalar>
double mean_loss(Loss loss, const LossInput<Scalar>& input, std::span<Scalar> gradient) {
  switch (loss) {
    case Loss::MeanSquared:
      return mean_squared(input, gradient);
    case Loss::BinaryCrossEntropy:
      return binary(input, gradient);
    case Loss::SoftmaxCrossEntropy:
      return softmax_cross_entropy(input, gradient);
  }
  return 0;
}

template double mean_loss<float>(Loss, const LossInput<float>&, std::span<float>);
template double mean_loss<double>(Loss, const LossInput<double>&, std::span<double>);

}  // namespace talweg::train
