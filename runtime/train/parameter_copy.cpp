// Byte copies, and a scan for infinities and NaN by the type.
#include "runtime/train/parameter_copy.h"

#include <cmath>
#include <cstring>

namespace talweg::train {
namespace {

template <class Scalar>
std::optional<std::uint64_t> first_not_finite(const void* data, std::uint64_t count) {
  const auto* values = static_cast<const Scalar*>(data);
  // x - x is 0 for finite x and NaN otherwise: one sum tells, and vectorises.
  constexpr std::uint64_t kBlock = 4096;
  for (std::uint64_t start = 0; start < count; start += kBlock) {
    const std::uint64_t end = std::min(count, start + kBlock);
    bool is_bad = false;
    for (std::uint64_t i = start; i < end; ++i) is_bad |= !(values[i] - values[i] == 0);
    if (!is_bad) continue;
    for (std::uint64_t i = start; i < end; ++i) {
      if (!std::isfinite(values[i])) return i;
    }
  }
  return std::nullopt;
}

double value_at(talweg_dtype dtype, const void* data, std::uint64_t index) {
  return dtype == TALWEG_F32 ? static_cast<const float*>(data)[index]
                             : static_cast<const double*>(data)[index];
}

}  // namespace

std::size_t element_bytes(talweg_dtype dtype) {
  return dtype == TALWEG_F32 ? sizeof(float) : sizeof(double);
}

void ParameterCopy::take(const Objective& objective) {
  const auto parameters = objective.parameters();
  tensors_.resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto* bytes = static_cast<const std::byte*>(parameters[i].data);
    tensors_[i].assign(bytes, bytes + parameters[i].elements * element_bytes(objective.dtype()));
  }
}

void ParameterCopy::put_back(const Objective& objective) const {
  const auto parameters = objective.parameters();
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (!tensors_[i].empty())
      std::memcpy(parameters[i].data, tensors_[i].data(), tensors_[i].size());
  }
}

std::optional<NotFiniteElement> find_not_finite(const Objective& objective,
                                                std::span<const void* const> pointers) {
  const auto parameters = objective.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (pointers[i] == nullptr) continue;
    const auto found = objective.dtype() == TALWEG_F32
                           ? first_not_finite<float>(pointers[i], parameters[i].elements)
                           : first_not_finite<double>(pointers[i], parameters[i].elements);
    if (found) return NotFiniteElement{i, *found, value_at(objective.dtype(), pointers[i], *found)};
  }
  return std::nullopt;
}

}  // namespace talweg::train
