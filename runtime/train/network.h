// A network of dense layers: parameters, prediction, loss and gradient. Linear, logistic and
// softmax regression are networks without a hidden layer; an autoencoder is one whose targets are
// its inputs.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/train/model_spec.h"
#include "runtime/train/objective.h"
#include "runtime/train/samples.h"

namespace talweg::train {

/// Where a parameter tensor sits: its layer (from 0), weight [inputs, outputs] or bias [outputs].
struct ParameterPlace {
  std::uint32_t layer = 0;
  bool is_bias = false;
};

/// Names, shapes and order of tensors when they are to differ from the usual ones.
struct ParameterLayout {
  std::string name;
  std::vector<std::uint64_t> shape;  // as many elements as the place has
  ParameterPlace place;
};

/// `layers.0.weight`, `layers.0.bias`, `layers.1.weight`, ...
std::vector<ParameterLayout> usual_layout(const NetworkSpec& spec);

/// Scalar is float or double. Products come from Eigen on one thread, with block sizes fixed so
/// that they do not depend on the machine's caches. Hidden activations: relu (derivative 0 at 0),
/// sigmoid, tanh.
template <class Scalar>
class Network {
 public:
  /// Parameters start at 0. `layout` names each place once.
  Network(NetworkSpec spec, const std::vector<ParameterLayout>& layout);
  explicit Network(const NetworkSpec& spec) : Network(spec, usual_layout(spec)) {}
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  [[nodiscard]] const NetworkSpec& spec() const;
  [[nodiscard]] std::span<const ParameterTensor> parameters() const;
  [[nodiscard]] ParameterPlace place(std::size_t tensor) const;
  [[nodiscard]] std::span<Scalar> values(std::size_t tensor);

  /// Outputs [count, outputs] for features [count, inputs]; logits for the cross-entropies. Valid
  /// until the next call.
  std::span<const Scalar> forward(std::span<const Scalar> features, std::uint32_t count);
  /// What the last call of forward, loss or loss_and_gradient computed.
  [[nodiscard]] std::span<const Scalar> outputs() const;
  /// Mean loss of `batch` with the l2 term.
  double loss(const Samples<Scalar>& batch);
  /// The same, and its gradient: gradients[i] points to as many Scalars as tensor i has.
  double loss_and_gradient(const Samples<Scalar>& batch, std::span<void* const> gradients);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

extern template class Network<float>;
extern template class Network<double>;

}  // namespace talweg::train
