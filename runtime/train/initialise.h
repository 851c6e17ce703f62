// Start values of a network's parameters, each a function of (seed, layer, place in the tensor).
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/support/result.h"
#include "runtime/train/network.h"

namespace talweg::train {

enum class Initialisation {
  Auto,    // Zeros without a hidden layer; else He below a relu, Xavier elsewhere
  He,      // uniform in +-sqrt(6 / inputs) (He et al. 2015, arXiv:1502.01852)
  Xavier,  // uniform in +-sqrt(6 / (inputs + outputs)) (Glorot & Bengio, AISTATS 2010)
  Zeros,
};

support::Result<Initialisation> parse_initialisation(std::string_view text);

/// Weights by `kind`, drawn in float64 and rounded; biases 0.
template <class Scalar>
void initialise(Network<Scalar>& network, Initialisation kind, std::uint64_t seed);

extern template void initialise<float>(Network<float>&, Initialisation, std::uint64_t);
extern template void initialise<double>(Network<double>&, Initialisation, std::uint64_t);

}  // namespace talweg::train
