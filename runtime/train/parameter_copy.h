// Copies of all parameters, to go back to; and whether all are finite.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "runtime/train/objective.h"

namespace talweg::train {

/// Bytes of one element.
std::size_t element_bytes(talweg_dtype dtype);

class ParameterCopy {
 public:
  void take(const Objective& objective);
  /// Puts back what the last take() saw; nothing before one.
  void put_back(const Objective& objective) const;
  /// What the last take() saw of a tensor.
  [[nodiscard]] const void* data(std::size_t tensor) const { return tensors_[tensor].data(); }

 private:
  std::vector<std::vector<std::byte>> tensors_;
};

/// The first element that is not finite, over `pointers[i]` of the shapes of the objective's
/// parameters (null pointers are passed over).
struct NotFiniteElement {
  std::size_t tensor = 0;
  std::uint64_t element = 0;
  double value = 0;
};
std::optional<NotFiniteElement> find_not_finite(const Objective& objective,
                                                std::span<const void* const> pointers);

}  // namespace talweg::train
