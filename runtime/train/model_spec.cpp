// Reading model specifications.
#include "runtime/train/model_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "runtime/train/names.h"
#include "runtime/train/number_text.h"

namespace talweg::train {
namespace {

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

constexpr std::string_view kModels =
    "linear, logistic, softmax, mlp:64-128-10 (layer widths; `,relu`, `,sigmoid` or `,tanh` may "
    "follow), autoencoder:64-16-64, function:rosenbrock";

support::Result<std::vector<std::uint32_t>> parse_widths(std::string_view text,
                                                         std::string_view model) {
  std::vector<std::uint32_t> widths;
  for (;;) {
    const std::size_t end = text.find('-');
    const std::string_view part = text.substr(0, end);
    const auto width = parse_count(part);
    if (!width || *width == 0 || *width > kMaxWidth) {
      return usage(
          fmt::format("--model {}: `{}` is not a layer width (1 to {})", model, part, kMaxWidth));
    }
    widths.push_back(static_cast<std::uint32_t>(*width));
    if (end == std::string_view::npos) break;
    text = text.substr(end + 1);
  }
  if (widths.size() >= 2) return widths;
  return usage(fmt::format(
      "--model {}: give at least the number of inputs and of outputs, as in 64-10", model));
}

support::Result<Activation> parse_activation(std::string_view text, std::string_view model) {
  for (const Activation activation : {Activation::Relu, Activation::Sigmoid, Activation::Tanh}) {
    if (text == name(activation)) return activation;
  }
  const std::vector<std::string> known = {"relu", "sigmoid", "tanh"};
  return usage(fmt::format("--model {}: no activation `{}`{}; there are {}", model, text,
                           suggestion(text, known), list_names(known)));
}

support::Result<ModelSpec> parse_layers(ModelSpec spec, std::string_view rest,
                                        std::string_view model) {
  const std::size_t comma = rest.find(',');
  auto widths = parse_widths(rest.substr(0, comma), model);
  if (!widths) return widths.failure();
  spec.widths = std::move(*widths);
  if (comma != std::string_view::npos) {
    auto activation = parse_activation(trimmed(rest.substr(comma + 1)), model);
    if (!activation) return activation.failure();
    spec.activation = *activation;
  }
  if (spec.kind == ModelSpec::Kind::Autoencoder && spec.widths.front() != spec.widths.back()) {
    return usage(fmt::format("--model {}: an autoencoder has as many outputs as inputs", model));
  }
  return spec;
}

}  // namespace

support::Result<ModelSpec> parse_model_spec(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  ModelSpec spec;
  if (kind == "mlp" || kind == "autoencoder") {
    spec.kind = kind == "mlp" ? ModelSpec::Kind::Perceptron : ModelSpec::Kind::Autoencoder;
    return parse_layers(std::move(spec), rest, text);
  }
  if (kind == "function") {
    spec.kind = ModelSpec::Kind::Function;
    spec.function = rest;
    return spec;
  }
  spec.kind = kind == "logistic"  ? ModelSpec::Kind::Logistic
              : kind == "softmax" ? ModelSpec::Kind::Softmax
                                  : ModelSpec::Kind::Linear;
  if (colon == std::string_view::npos && kind == to_text(spec)) return spec;
  const std::vector<std::string> kinds = {"linear", "logistic",    "softmax",
                                          "mlp",    "autoencoder", "function"};
  return usage(
      fmt::format("no model `{}`{}; models are {}", text, suggestion(kind, kinds), kModels));
}

std::string to_text(const ModelSpec& spec) {
  switch (spec.kind) {
    case ModelSpec::Kind::Linear:
      return "linear";
    case ModelSpec::Kind::Logistic:
      return "logistic";
    case ModelSpec::Kind::Softmax:
      return "softmax";
    case ModelSpec::Kind::Perceptron:
      return fmt::format("mlp:{},{}", fmt::join(spec.widths, "-"), name(spec.activation));
    case ModelSpec::Kind::Autoencoder:
      return fmt::format("autoencoder:{},{}", fmt::join(spec.widths, "-"), name(spec.activation));
    case ModelSpec::Kind::Function:
      return "function:" + spec.function;
  }
  return {};
}

std::string_view name(Activation activation) {
  switch (activation) {
    case Activation::Relu:
      return "relu";
    case Activation::Sigmoid:
      return "sigmoid";
    case Activation::Tanh:
      return "tanh";
  }
  return {};
}

std::string_view name(Loss loss) {
  switch (loss) {
    case Loss::MeanSquared:
      return "mse";
    case Loss::BinaryCrossEntropy:
      return "binary";
    case Loss::SoftmaxCrossEntropy:
      return "softmax";
  }
  return {};
}

support::Result<Loss> parse_loss(std::string_view text) {
  for (const Loss loss : {Loss::MeanSquared, Loss::BinaryCrossEntropy, Loss::SoftmaxCrossEntropy}) {
    if (text == name(loss)) return loss;
  }
  return usage(fmt::format(
      "no loss `{}`; there are mse (numbers), binary (two classes), softmax (classes)", text));
}

std::optional<std::uint64_t> parameter_count(const NetworkSpec& spec) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < spec.layers(); ++i) {
    // Weights and biases of one layer: at most (2^32 - 1) * 2^32.
    const std::uint64_t layer = (std::uint64_t{spec.widths[i]} + 1) * spec.widths[i + 1];
    if (layer > UINT64_MAX - count) return std::nullopt;
    count += layer;
  }
  return count;
}

}  // namespace talweg::train
