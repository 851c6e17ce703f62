// What the C++ cover holds, shared by its files only.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/optimizer/core.hpp"
#include "runtime/optimizer/optimizer.hpp"
#include "runtime/optimizer/suggest.h"

namespace talweg::optimizer {

/// Index of the row of an image's table with this name.
template <class Info>
std::optional<std::uint32_t> find_row(const Info* rows, std::uint32_t count,
                                      std::string_view name) {
  for (std::uint32_t i = 0; i < count; ++i)
    if (name == rows[i].name) return i;
  return std::nullopt;
}

/// No row of the table is a `kind` of this name; one of another kind is nothing to suggest.
template <class Info>
support::Failure unknown_name(std::string_view kind, const Info* rows, std::uint32_t count,
                              std::string_view name, const talweg_image& image) {
  std::vector<std::string_view> known;
  for (std::uint32_t i = 0; i < count; ++i) known.emplace_back(rows[i].name);
  const bool is_of_other_kind = find_row(rows, count, name).has_value();
  return {support::FailureKind::Usage, "rule `" + std::string(image.name) + "` has no " +
                                           std::string(kind) + " `" + std::string(name) + "`" +
                                           (is_of_other_kind ? "" : suggest(name, known))};
}

struct Optimizer::Impl {
  const talweg_image* image = nullptr;
  std::shared_ptr<const void> keep_alive;
  std::vector<Tensor> tensors;
  std::uint32_t group_count = 1;
  std::shared_ptr<support::ThreadPool> pool;
  std::unique_ptr<Core> core;
  talweg_optimizer* optimizer = nullptr;  // the core's

  // What a step hands to the core, kept so that a step allocates nothing.
  std::vector<double> model_inputs;
  std::vector<std::uint8_t> given;
  std::vector<const void* const*> element_inputs;
  std::vector<const void* const*> line_inputs;  // of matrices, rows and columns
  std::vector<const double*> group_inputs, tensor_inputs;

  support::Status build(const MakeCore& make_core);
  support::Result<talweg_step_inputs> bind(const StepInputs& inputs);
  [[nodiscard]] support::Result<std::uint32_t> find_input(std::string_view kind, talweg_rate rate,
                                                          std::string_view name) const;
  /// Inputs that have one value for each of `count` groups or tensors.
  support::Status bind_values(
      const std::vector<std::pair<std::string, std::vector<double>>>& inputs, std::string_view kind,
      talweg_rate rate, std::size_t count, std::vector<const double*>& bound) const;
  /// Inputs that have one array for each tensor.
  support::Status bind_arrays(
      const std::vector<std::pair<std::string, std::vector<const void*>>>& inputs,
      std::string_view kind, talweg_rate rate, std::vector<const void* const*>& bound) const;
  [[nodiscard]] support::Result<std::uint32_t> find_view(std::string_view name) const;
  void list_states(std::vector<PersistentEntry>& entries) const;
  [[nodiscard]] bool is_empty(std::size_t tensor) const {
    const auto& shape = tensors[tensor].shape;
    return std::find(shape.begin(), shape.end(), 0U) != shape.end();
  }
  void list_begun(std::vector<PersistentEntry>& entries) const;
};

}  // namespace talweg::optimizer
