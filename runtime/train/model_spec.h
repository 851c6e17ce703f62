// What a user asks for as model and loss, and the network that this means for given data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/result.h"

namespace talweg::train {

enum class Activation { Relu, Sigmoid, Tanh };
enum class Loss {
  MeanSquared,          // mean over samples and outputs of (output - target)^2
  BinaryCrossEntropy,   // of the logit z: log(1 + e^z) - target z
  SoftmaxCrossEntropy,  // of the logits z: log(sum e^z) - z[label]
};

struct ModelSpec {
  enum class Kind { Linear, Logistic, Softmax, Perceptron, Autoencoder, Function };
  Kind kind = Kind::Linear;
  std::vector<std::uint32_t> widths;  // Perceptron, Autoencoder: inputs, hidden layers, outputs
  Activation activation = Activation::Relu;  // of hidden layers; outputs have none
  std::string function;                      // Function: its name
};

/// Widest layer that is taken seriously.
inline constexpr std::uint32_t kMaxWidth = 1U << 20U;

/// `linear`, `logistic`, `softmax`, `mlp:64-128-10`, `mlp:64-128-10,tanh`, `autoencoder:64-16-64`,
/// `function:rosenbrock`. Failures (Usage) name the part that is wrong.
support::Result<ModelSpec> parse_model_spec(std::string_view text);
/// The spelling that parse_model_spec reads back.
std::string to_text(const ModelSpec& spec);

std::string_view name(Activation activation);
std::string_view name(Loss loss);
support::Result<Loss> parse_loss(std::string_view text);

/// A network with its loss: what is trained and what a parameter file describes.
struct NetworkSpec {
  std::vector<std::uint32_t> widths;  // at least inputs and outputs
  Activation activation = Activation::Relu;
  Loss loss = Loss::MeanSquared;
  double l2 = 0;  // adds l2/2 * (sum of squared weights) to the loss; biases are left out

  [[nodiscard]] std::size_t layers() const { return widths.size() - 1; }
};

/// Number of parameters. Nothing: 2^64 or more.
std::optional<std::uint64_t> parameter_count(const NetworkSpec& spec);

}  // namespace talweg::train
