// What the training loop minimises: parameters, and a loss over numbered samples. Networks bound to
// data, test functions and users' own callbacks all take this form, so the loop is written once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi/talweg_abi.h"

namespace talweg::train {

/// A parameter tensor in the objective's own memory, row-major, of the objective's dtype.
struct ParameterTensor {
  std::string name;
  std::vector<std::uint64_t> shape;  // empty: one element
  std::uint64_t elements = 1;
  void* data = nullptr;
};

/// Mean loss over some samples; accuracy where the model classifies.
struct Evaluation {
  double loss = 0;
  std::optional<double> accuracy;
};

class Objective {
 public:
  Objective() = default;
  Objective(Objective&&) noexcept = default;
  Objective& operator=(Objective&&) noexcept = default;
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;
  virtual ~Objective() = default;

  /// TALWEG_F32 or TALWEG_F64, of parameters and gradients.
  [[nodiscard]] virtual talweg_dtype dtype() const = 0;
  /// Names, shapes and addresses stay the same for the life of the objective.
  [[nodiscard]] virtual std::span<const ParameterTensor> parameters() const = 0;
  /// Samples that a step may name. A function without data has one.
  [[nodiscard]] virtual std::uint32_t sample_count() const = 0;
  /// Mean loss over `samples` (each below sample_count(); repeats count again) at the present
  /// parameters. Writes every element of every gradient: gradients[i] has parameters()[i].elements
  /// elements.
  virtual double loss_and_gradient(std::span<const std::uint32_t> samples,
                                   std::span<void* const> gradients) = 0;
  /// On all training samples.
  virtual Evaluation evaluate_training() = 0;
  /// On the held-out part; nothing without one.
  virtual std::optional<Evaluation> evaluate_validation() = 0;
};

}  // namespace talweg::train
