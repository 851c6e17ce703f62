// A network bound to data: what `talweg train` minimises.
#pragma once

#include <vector>

#include "runtime/train/network.h"
#include "runtime/train/objective.h"

namespace talweg::train {

/// Refers to the network and the samples, which must outlive it.
template <class Scalar>
class NetworkObjective final : public Objective {
 public:
  /// `validation` may be empty.
  NetworkObjective(Network<Scalar>& network, const Samples<Scalar>& training,
                   const Samples<Scalar>& validation);

  [[nodiscard]] talweg_dtype dtype() const override;
  [[nodiscard]] std::span<const ParameterTensor> parameters() const override;
  [[nodiscard]] std::uint32_t sample_count() const override;
  double loss_and_gradient(std::span<const std::uint32_t> samples,
                           std::span<void* const> gradients) override;
  /// Accuracy: the greatest logit (the first of equal ones), or a logit above 0 (binary).
  Evaluation evaluate_training() override;
  std::optional<Evaluation> evaluate_validation() override;

  /// [true][predicted] counts over some samples; empty for MeanSquared.
  [[nodiscard]] std::vector<std::uint64_t> confusion(const Samples<Scalar>& samples);

 private:
  template <class Visit>
  void for_each_block(const Samples<Scalar>& samples, const Visit& visit);
  Evaluation evaluate(const Samples<Scalar>& samples);

  Network<Scalar>& network_;
  const Samples<Scalar>& training_;
  const Samples<Scalar>& validation_;
  Samples<Scalar> batch_;
};

/// Class of each row of outputs [count, outputs]: the greatest logit, or with one output whether it
/// is above 0.
template <class Scalar>
std::uint32_t predicted_class(std::span<const Scalar> outputs);

extern template class NetworkObjective<float>;
extern template class NetworkObjective<double>;
extern template std::uint32_t predicted_class<float>(std::span<const float>);
extern template std::uint32_t predicted_class<double>(std::span<const double>);

}  // namespace talweg::train
