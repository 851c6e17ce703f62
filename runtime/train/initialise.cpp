// Uniform weights within a limit that keeps the size of signals through the layers, or normal ones
// of a size that is given.
#include "runtime/train/initialise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/train/number_text.h"
#include "runtime/train/random.h"

namespace talweg::train {
namespace {

constexpr std::string_view kNormalPrefix = "normal:";

/// Of the uniform kinds.
double weight_limit(const NetworkSpec& spec, std::size_t layer, Initialisation::Kind kind) {
  const double inputs = spec.widths[layer];
  const double outputs = spec.widths[layer + 1];
  switch (kind) {
    case Initialisation::Auto: {
      if (spec.layers() == 1) return 0;
      const bool feeds_relu = layer + 1 < spec.layers() && spec.activation == Activation::Relu;
      return weight_limit(spec, layer, feeds_relu ? Initialisation::He : Initialisation::Xavier);
    }
    case Initialisation::He:
      return std::sqrt(6 / inputs);
    case Initialisation::Xavier:
      return std::sqrt(6 / (inputs + outputs));
    case Initialisation::Zeros:
    case Initialisation::Normal:
      return 0;
  }
  return 0;
}

}  // namespace

support::Result<Initialisation> parse_initialisation(std::string_view text) {
  if (text == "auto") return Initialisation{Initialisation::Auto};
  if (text == "he") return Initialisation{Initialisation::He};
  if (text == "xavier") return Initialisation{Initialisation::Xavier};
  if (text == "zeros") return Initialisation{Initialisation::Zeros};
  if (text.starts_with(kNormalPrefix)) {
    const auto deviation = parse_number(text.substr(kNormalPrefix.size()));
    if (deviation && std::isfinite(*deviation) && *deviation > 0)
      return Initialisation{Initialisation::Normal, *deviation};
    return support::Failure{
        support::FailureKind::Usage,
        fmt::format("initialisation is normal:DEVIATION with a positive finite number, not `{}`",
                    text)};
  }
  return support::Failure{
      support::FailureKind::Usage,
      fmt::format("initialisation is auto, he, xavier, zeros or normal:DEVIATION, not `{}`", text)};
}

template <class Scalar>
void initialise(Network<Scalar>& network, const Initialisation& start, std::uint64_t seed) {
  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    const ParameterPlace place = network.place(i);
    const std::span<Scalar> values = network.values(i);
    RandomStream random(seed, RandomPurpose::Weights, place.layer);
    if (!place.is_bias && start.kind == Initialisation::Normal) {
      for (Scalar& value : values) value = static_cast<Scalar>(start.deviation * random.normal());
      continue;
    }
    const double limit = place.is_bias ? 0 : weight_limit(network.spec(), place.layer, start.kind);
    if (limit == 0) {
      std::fill(values.begin(), values.end(), Scalar{0});
      continue;
    }
    for (Scalar& value : values) value = static_cast<Scalar>(limit * (2 * random.uniform() - 1));
  }
}

template void initialise<float>(Network<float>&, const Initialisation&, std::uint64_t);
template void initialise<double>(Network<double>&, const Initialisation&, std::uint64_t);

}  // namespace talweg::train
