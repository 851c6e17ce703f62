// Norms of tensors, written.
#include "runtime/train/tensor_norms_text.h"

#include <fmt/format.h>

#include <cmath>

namespace talweg::train {
namespace {

Json named(std::span<const std::string> names, const StepNorms& norms, double TensorNorms::*norm) {
  Json json = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i)
    json[names[i]] = json_number(norms.tensors[i].*norm);
  return json;
}

/// A norm of NaN counts as the largest.
double rank_of(double norm) { return std::isnan(norm) ? INFINITY : norm; }

std::string line(const RunNorms& run, const StepNorms& norms) {
  std::size_t low = 0;
  std::size_t high = 0;
  for (std::size_t i = 1; i < norms.tensors.size(); ++i) {
    const double norm = rank_of(norms.tensors[i].gradient);
    if (norm < rank_of(norms.tensors[low].gradient)) low = i;
    if (norm > rank_of(norms.tensors[high].gradient)) high = i;
  }
  return fmt::format("gradient's norm at step {}: {:.3g} (`{}`) to {:.3g} (`{}`)\n", norms.step,
                     norms.tensors[low].gradient, run.names[low], norms.tensors[high].gradient,
                     run.names[high]);
}

}  // namespace

Json to_json(std::span<const std::string> names, const StepNorms& norms) {
  return {{"step", norms.step},
          {"epoch", norms.epoch},
          {"gradient", named(names, norms, &TensorNorms::gradient)},
          {"parameter", named(names, norms, &TensorNorms::parameter)},
          {"update", named(names, norms, &TensorNorms::update)}};
}

Json to_json(const RunNorms& norms) {
  return {{"first", to_json(norms.names, norms.first)}, {"last", to_json(norms.names, norms.last)}};
}

std::string norms_text(const RunNorms& norms) {
  return "norms     " + line(norms, norms.first) + "          " + line(norms, norms.last);
}

}  // namespace talweg::train
