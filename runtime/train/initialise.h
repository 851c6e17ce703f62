// Start values of a network's parameters, each a function of (seed, layer, place in the tensor).
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/support/result.h"
#include "runtime/train/network.h"

namespace talweg::train {

struct Initialisation {
  enum Kind {
    Auto,    // Zeros without a hidden layer; else He below a relu, Xavier elsewhere
    He,      // uniform in +-sqrt(6 / inputs) (He et al. 2015, arXiv:1502.01852)
    Xavier,  // uniform in +-sqrt(6 / (inputs + outputs)) (Glorot & Bengio, AISTATS 2010)
    Zeros,
    Normal,  // normal with `deviation`, whatever the layer's size: see RandomStream::normal
  };
  Initialisation(Kind of_kind = Auto, double of_deviation = 0)  // a kind alone will do
      : kind(of_kind), deviation(of_deviation) {}

  Kind kind;
  double deviation;  // Normal only
};

/// `auto`, `he`, `xavier`, `zeros`, or `normal:0.5`.
support::Result<Initialisation> parse_initialisation(std::string_view text);

/// Weights by `start`, drawn in float64 and rounded; biases 0.
template <class Scalar>
void initialise(Network<Scalar>& network, const Initialisation& start, std::uint64_t seed);

extern template void initialise<float>(Network<float>&, const Initialisation&, std::uint64_t);
extern template void initialise<double>(Network<double>&, const Initialisation&, std::uint64_t);

}  // namespace talweg::train
