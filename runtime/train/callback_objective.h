// Any model whose loss and gradient a C++ function computes: the way to train what this library
// does not know with a compiled rule.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/train/objective.h"

namespace talweg::train {

/// Owns parameters and hands them to the function. Scalar is float or double.
template <class Scalar>
class CallbackObjective final : public Objective {
 public:
  using Parameters = std::vector<std::span<const Scalar>>;  // one span a tensor, in the order added
  using Gradients = std::vector<std::span<Scalar>>;
  /// Returns the loss at `parameters` over `samples` and writes every element of `gradients`.
  using Function = std::function<double(const Parameters& parameters, const Gradients& gradients,
                                        std::span<const std::uint32_t> samples)>;

  explicit CallbackObjective(Function function, std::uint32_t sample_count = 1)
      : function_(std::move(function)), sample_count_(sample_count) {}

  // Tensors point into the storage: it may move, never be copied.
  CallbackObjective(CallbackObjective&&) noexcept = default;
  CallbackObjective& operator=(CallbackObjective&&) noexcept = default;
  CallbackObjective(const CallbackObjective&) = delete;
  CallbackObjective& operator=(const CallbackObjective&) = delete;
  ~CallbackObjective() override = default;

  /// All tensors are added before the first use. `values` has as many elements as `shape` says.
  void add_parameter(std::string name, std::vector<std::uint64_t> shape,
                     std::vector<Scalar> values) {
    storage_.push_back(std::move(values));
    tensors_.push_back(
        {std::move(name), std::move(shape), storage_.back().size(), storage_.back().data()});
  }
  [[nodiscard]] std::span<Scalar> values(std::size_t tensor) { return storage_[tensor]; }

  [[nodiscard]] talweg_dtype dtype() const override {
    return std::is_same_v<Scalar, float> ? TALWEG_F32 : TALWEG_F64;
  }
  [[nodiscard]] std::span<const ParameterTensor> parameters() const override { return tensors_; }
  [[nodiscard]] std::uint32_t sample_count() const override { return sample_count_; }

  double loss_and_gradient(std::span<const std::uint32_t> samples,
                           std::span<void* const> gradients) override {
    Gradients typed;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      typed.push_back({static_cast<Scalar*>(gradients[i]), storage_[i].size()});
    }
    return function_(read_parameters(), typed, samples);
  }

  Evaluation evaluate_training() override {
    std::vector<std::vector<Scalar>> unused;
    Gradients typed;
    for (const std::vector<Scalar>& values : storage_) unused.emplace_back(values.size());
    for (std::vector<Scalar>& gradient : unused) typed.push_back(gradient);
    std::vector<std::uint32_t> all(sample_count_);
    for (std::uint32_t i = 0; i < sample_count_; ++i) all[i] = i;
    return {function_(read_parameters(), typed, all), std::nullopt};
  }
  std::optional<Evaluation> evaluate_validation() override { return std::nullopt; }

 private:
  [[nodiscard]] Parameters read_parameters() const {
    return Parameters(storage_.begin(), storage_.end());
  }

  Function function_;
  std::uint32_t sample_count_;
  std::vector<std::vector<Scalar>> storage_;
  std::vector<ParameterTensor> tensors_;
};

}  // namespace talweg::train
