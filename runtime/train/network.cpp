// Forward and backward passes. Matrices are row-major; a batch is [samples, features].
#include "runtime/train/network.h"

#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>
#include <cmath>

#include "runtime/train/losses.h"

namespace talweg::train {
namespace {

// Eigen cuts products into blocks by cache size, which decides the order of sums. These stand for a
// common machine, so that every machine gives the same bits.
constexpr std::ptrdiff_t kLevel1Bytes = 32 * 1024;
constexpr std::ptrdiff_t kLevel2Bytes = 512 * 1024;
constexpr std::ptrdiff_t kLevel3Bytes = 4 * 1024 * 1024;

template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class Scalar>
using MatrixMap = Eigen::Map<Matrix<Scalar>>;
template <class Scalar>
using ConstMatrixMap = Eigen::Map<const Matrix<Scalar>>;

/// NaN stays NaN: a comparison that is false keeps the value.
template <class Scalar>
Scalar activate(Activation activation, Scalar z) {
  switch (activation) {
    case Activation::Relu:
      return z <= 0 ? Scalar{0} : z;
    case Activation::Sigmoid:
      return static_cast<Scalar>(sigmoid(double{z}));
    case Activation::Tanh:
      return std::tanh(z);
  }
  return z;
}

/// Derivative of the activation, from its value.
template <class Scalar>
Scalar slope(Activation activation, Scalar value) {
  switch (activation) {
    case Activation::Relu:
      return value > 0 ? Scalar{1} : Scalar{0};
    case Activation::Sigmoid:
      return value * (1 - value);
    case Activation::Tanh:
      return 1 - value * value;
  }
  return 0;
}

template <class Scalar>
void add_row_to_all(const std::vector<Scalar>& bias, Matrix<Scalar>& values) {
  for (Eigen::Index row = 0; row < values.rows(); ++row) {
    for (Eigen::Index k = 0; k < values.cols(); ++k) {
      values(row, k) += bias[static_cast<std::size_t>(k)];
    }
  }
}

/// Sums over samples in order.
template <class Scalar>
void sum_rows(const Matrix<Scalar>& values, Scalar* sums) {
  std::fill(sums, sums + values.cols(), Scalar{0});
  for (Eigen::Index row = 0; row < values.rows(); ++row) {
    for (Eigen::Index k = 0; k < values.cols(); ++k) sums[k] += values(row, k);
  }
}

}  // namespace

std::vector<ParameterLayout> usual_layout(const NetworkSpec& spec) {
  std::vector<ParameterLayout> layout;
  for (std::uint32_t i = 0; i < spec.layers(); ++i) {
    const std::string prefix = "layers." + std::to_string(i);
    layout.push_back({prefix + ".weight", {spec.widths[i], spec.widths[i + 1]}, {i, false}});
    layout.push_back({prefix + ".bias", {spec.widths[i + 1]}, {i, true}});
  }
  return layout;
}

template <class Scalar>
struct Network<Scalar>::Impl {
  explicit Impl(NetworkSpec of)
      : spec(std::move(of)), layers(spec.layers()), values(spec.layers()) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      layers[i].weight.assign(std::size_t{spec.widths[i]} * spec.widths[i + 1], Scalar{0});
      layers[i].bias.assign(spec.widths[i + 1], Scalar{0});
    }
  }

  struct Layer {
    std::vector<Scalar> weight, bias;
  };

  std::vector<Scalar>& storage(ParameterPlace at) {
    return at.is_bias ? layers[at.layer].bias : layers[at.layer].weight;
  }
  ConstMatrixMap<Scalar> weight(std::size_t layer) const {
    return {layers[layer].weight.data(), spec.widths[layer], spec.widths[layer + 1]};
  }
  void forward(std::span<const Scalar> features, std::uint32_t count);
  [[nodiscard]] double penalty() const;
  double loss_of_outputs(const Samples<Scalar>& batch, std::span<Scalar> gradient) const;
  void backward(const Samples<Scalar>& batch, std::span<Scalar* const> weight_gradients,
                std::span<Scalar* const> bias_gradients);

  NetworkSpec spec;
  std::vector<Layer> layers;
  std::vector<ParameterTensor> tensors;
  std::vector<ParameterPlace> places;
  std::vector<Matrix<Scalar>> values;  // of each layer, after its activation; the last has none
  Matrix<Scalar> delta, next_delta;    // derivative of the loss by a layer's sums
};

template <class Scalar>
void Network<Scalar>::Impl::forward(std::span<const Scalar> features, std::uint32_t count) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    values[i].resize(count, spec.widths[i + 1]);
    if (i == 0) {
      values[i].noalias() =
          ConstMatrixMap<Scalar>(features.data(), count, spec.widths[0]) * weight(i);
    } else {
      values[i].noalias() = values[i - 1] * weight(i);
    }
    add_row_to_all(layers[i].bias, values[i]);
    if (i + 1 == layers.size()) return;
    for (Eigen::Index k = 0; k < values[i].size(); ++k) {
      values[i].data()[k] = activate(spec.activation, values[i].data()[k]);
    }
  }
}

template <class Scalar>
double Network<Scalar>::Impl::penalty() const {
  if (spec.l2 == 0) return 0;
  double sum = 0;
  for (const Layer& layer : layers) {
    for (const Scalar w : layer.weight) sum += double{w} * double{w};
  }
  return spec.l2 / 2 * sum;
}

template <class Scalar>
double Network<Scalar>::Impl::loss_of_outputs(const Samples<Scalar>& batch,
                                              std::span<Scalar> gradient) const {
  const Matrix<Scalar>& outputs = values.back();
  const LossInput<Scalar> input{batch.count,
                                spec.widths.back(),
                                {outputs.data(), static_cast<std::size_t>(outputs.size())},
                                batch.targets,
                                batch.labels};
  return mean_loss(spec.loss, input, gradient) + penalty();
}

template <class Scalar>
void Network<Scalar>::Impl::backward(const Samples<Scalar>& batch,
                                     std::span<Scalar* const> weight_gradients,
                                     std::span<Scalar* const> bias_gradients) {
  for (std::size_t i = layers.size(); i-- > 0;) {
    sum_rows(delta, bias_gradients[i]);
    MatrixMap<Scalar> gradient(weight_gradients[i], spec.widths[i], spec.widths[i + 1]);
    if (i == 0) {
      gradient.noalias() =
          ConstMatrixMap<Scalar>(batch.features.data(), batch.count, spec.widths[0]).transpose() *
          delta;
    } else {
      gradient.noalias() = values[i - 1].transpose() * delta;
    }
    if (spec.l2 != 0) gradient += static_cast<Scalar>(spec.l2) * weight(i);
    if (i == 0) return;
    next_delta.resize(batch.count, spec.widths[i]);
    next_delta.noalias() = delta * weight(i).transpose();
    for (Eigen::Index k = 0; k < next_delta.size(); ++k) {
      next_delta.data()[k] *= slope(spec.activation, values[i - 1].data()[k]);
    }
    delta.swap(next_delta);
  }
}

template <class Scalar>
Network<Scalar>::Network(NetworkSpec spec, const std::vector<ParameterLayout>& layout)
    : impl_(std::make_unique<Impl>(std::move(spec))) {
  Eigen::setCpuCacheSizes(kLevel1Bytes, kLevel2Bytes, kLevel3Bytes);
  for (const ParameterLayout& entry : layout) {
    std::vector<Scalar>& storage = impl_->storage(entry.place);
    impl_->tensors.push_back({entry.name, entry.shape, storage.size(), storage.data()});
    impl_->places.push_back(entry.place);
  }
}

template <class Scalar>
Network<Scalar>::~Network() = default;
template <class Scalar>
Network<Scalar>::Network(Network&&) noexcept = default;
template <class Scalar>
Network<Scalar>& Network<Scalar>::operator=(Network&&) noexcept = default;

template <class Scalar>
const NetworkSpec& Network<Scalar>::spec() const {
  return impl_->spec;
}

template <class Scalar>
std::span<const ParameterTensor> Network<Scalar>::parameters() const {
  return impl_->tensors;
}

template <class Scalar>
ParameterPlace Network<Scalar>::place(std::size_t tensor) const {
  return impl_->places[tensor];
}

template <class Scalar>
std::span<Scalar> Network<Scalar>::values(std::size_t tensor) {
  return impl_->storage(impl_->places[tensor]);
}

template <class Scalar>
std::span<const Scalar> Network<Scalar>::forward(std::span<const Scalar> features,
                                                 std::uint32_t count) {
  impl_->forward(features, count);
  return outputs();
}

template <class Scalar>
std::span<const Scalar> Network<Scalar>::outputs() const {
  const Matrix<Scalar>& values = impl_->values.back();
  return {values.data(), static_cast<std::size_t>(values.size())};
}

template <class Scalar>
double Network<Scalar>::loss(const Samples<Scalar>& batch) {
  impl_->forward(batch.features, batch.count);
  return impl_->loss_of_outputs(batch, {});
}

template <class Scalar>
double Network<Scalar>::loss_and_gradient(const Samples<Scalar>& batch,
                                          std::span<void* const> gradients) {
  impl_->forward(batch.features, batch.count);
  impl_->delta.resize(batch.count, impl_->spec.widths.back());
  const double loss = impl_->loss_of_outputs(
      batch, {impl_->delta.data(), static_cast<std::size_t>(impl_->delta.size())});
  std::vector<Scalar*> weights(impl_->layers.size());
  std::vector<Scalar*> biases(impl_->layers.size());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const ParameterPlace at = impl_->places[i];
    (at.is_bias ? biases : weights)[at.layer] = static_cast<Scalar*>(gradients[i]);
  }
  impl_->backward(batch, weights, biases);
  return loss;
}

template class Network<float>;
template class Network<double>;

}  // namespace talweg::train
