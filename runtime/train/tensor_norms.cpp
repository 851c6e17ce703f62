// Squares in float64, summed by the optimizer's own fold.
#include "runtime/train/tensor_norms.h"

#include <cmath>

#include "runtime/optimizer/fold.h"

namespace talweg::train {
namespace {

/// Root of the sum of the squares of value(0), value(1), ...
template <class Value>
double norm(std::uint64_t count, const Value& value) {
  talweg_folding folding;
  talweg_begin_fold(&folding, TALWEG_FOLD_SUM);
  for (std::uint64_t i = 0; i < count; ++i) {
    const double x = value(i);
    talweg_fold_value(&folding, x * x);
  }
  return std::sqrt(talweg_end_fold(&folding));
}

template <class Scalar>
TensorNorms norms_of(const void* gradient, const void* before, const void* after,
                     std::uint64_t count) {
  const auto* g = static_cast<const Scalar*>(gradient);
  const auto* p = static_cast<const Scalar*>(before);
  const auto* q = static_cast<const Scalar*>(after);
  TensorNorms norms;
  norms.gradient = norm(count, [&](std::uint64_t i) { return double{g[i]}; });
  norms.parameter = norm(count, [&](std::uint64_t i) { return double{p[i]}; });
  norms.update = norm(count, [&](std::uint64_t i) { return double{q[i]} - double{p[i]}; });
  return norms;
}

}  // namespace

std::vector<TensorNorms> tensor_norms(const Objective& objective,
                                      std::span<const void* const> gradients,
                                      const ParameterCopy& before) {
  std::vector<TensorNorms> norms;
  const auto parameters = objective.parameters();
  const auto of = objective.dtype() == TALWEG_F32 ? norms_of<float> : norms_of<double>;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    norms.push_back(of(gradients[i], before.data(i), parameters[i].data, parameters[i].elements));
  return norms;
}

}  // namespace talweg::train
