// How long each tensor's gradient, parameter and update are in a step: what shows a gradient that
// vanishes or explodes on its way through the layers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/train/objective.h"
#include "runtime/train/parameter_copy.h"

namespace talweg::train {

/// Euclidean norms in float64: the squares are summed in the order of the language's `norm`. Not
/// finite where an element is not, or where the sum of squares overflows.
struct TensorNorms {
  double gradient = 0;   // as the loss gives it first, before the rule; of a frozen tensor too
  double parameter = 0;  // before the update
  double update = 0;     // of the parameter after minus before
};

struct StepNorms {
  std::uint64_t step = 0, epoch = 0;  // from 1
  std::vector<TensorNorms> tensors;   // in the objective's order
};

/// Of a whole run: the first and the last step that were measured.
struct RunNorms {
  std::vector<std::string> names;
  StepNorms first, last;
};

/// The objective holds the parameters after the update.
std::vector<TensorNorms> tensor_norms(const Objective& objective,
                                      std::span<const void* const> gradients,
                                      const ParameterCopy& before);

}  // namespace talweg::train
