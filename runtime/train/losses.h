// Losses of a network's outputs and their gradients, in the forms that neither overflow nor take
// the logarithm of a rounded probability.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/train/model_spec.h"

namespace talweg::train {

/// Outputs of a network for some samples and what they should be.
template <class Scalar>
struct LossInput {
  std::uint32_t count = 0, outputs = 0;
  std::span<const Scalar> values;         // [count, outputs]; logits for the cross-entropies
  std::span<const Scalar> targets;        // [count, outputs]; empty for SoftmaxCrossEntropy
  std::span<const std::uint32_t> labels;  // [count], below outputs; SoftmaxCrossEntropy
};

/// The mean loss, added up in float64 in order. With a `gradient` [count, outputs] (else empty),
/// writes the derivative of that mean by each value.
template <class Scalar>
double mean_loss(Loss loss, const LossInput<Scalar>& input, std::span<Scalar> gradient);

extern template double mean_loss<float>(Loss, const LossInput<float>&, std::span<float>);
extern template double mean_loss<double>(Loss, const LossInput<double>&, std::span<double>);

/// 1 / (1 + e^-z) without overflow.
double sigmoid(double z);

/// Probabilities of the classes from their logits, in place: softmax with the greatest logit taken
/// off.
void softmax(std::span<double> logits);

}  // namespace talweg::train
