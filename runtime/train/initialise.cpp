// Uniform weights within a limit that keeps the size of signals through the layers.
#include "runtime/train/initialise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/train/random.h"

namespace talweg::train {
namespace {

double weight_limit(const NetworkSpec& spec, std::size_t layer, Initialisation kind) {
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
      return 0;
  }
  return 0;
}

}  // namespace

support::Result<Initialisation> parse_initialisation(std::string_view text) {
  if (text == "auto") return Initialisation::Auto;
  if (text == "he") return Initialisation::He;
  if (text == "xavier") return Initialisation::Xavier;
  if (text == "zeros") return Initialisation::Zeros;
  return support::Failure{
      support::FailureKind::Usage,
      fmt::format("initialisation is auto, he, xavier or zeros, not `{}`", text)};
}

template <class Scalar>
void initialise(Network<Scalar>& network, Initialisation kind, std::uint64_t seed) {
  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    const ParameterPlace place = network.place(i);
    const std::span<Scalar> values = network.values(i);
    const double limit = place.is_bias ? 0 : weight_limit(network.spec(), place.layer, kind);
    if (limit == 0) {
      std::fill(values.begin(), values.end(), Scalar{0});
      continue;
    }
    RandomStream random(seed, RandomPurpose::Weights, place.layer);
    for (Scalar& value : values) value = static_cast<Scalar>(limit * (2 * random.uniform() - 1));
  }
}

template void initialise<float>(Network<float>&, Initialisation, std::uint64_t);
template void initialise<double>(Network<double>&, Initialisation, std::uint64_t);

}  // namespace talweg::train
