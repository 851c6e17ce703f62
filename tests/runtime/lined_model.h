// Tensors of all ranks for a rule of matrices, rows and columns.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/memory/line_tables.h"
#include "tests/matrix_views.h"
#include "tests/runtime/lined_rule.h"

namespace talweg::tests {

inline const std::vector<std::vector<std::uint64_t>> kLinedShapes{
    {},         {7},        {5, 3}, {3, 4, 5}, {2, 3, 70, 2}, {65537, 3},
    {2, 40000}, {130, 300}, {0, 4}, {3, 0, 2}, {4, 1, 6}};

inline std::vector<std::size_t> lined_sizes() {
  std::vector<std::size_t> sizes;
  for (const auto& shape : kLinedShapes) {
    sizes.push_back(1);
    for (const std::uint64_t n : shape) sizes.back() *= n;
  }
  return sizes;
}

/// Tensor i is w<i>, of group i mod 2; w3 and w7 are biases; two say themselves how they split.
template <class T>
struct LinedModel : FakeModel<T> {
  T no_elements = 0;  // a tensor without elements takes part where its gradient has an address

  LinedModel() : FakeModel<T>(lined_sizes()) {}

  static std::uint32_t group_of(std::size_t t) { return static_cast<std::uint32_t>(t % 2); }
  static bool is_bias(std::size_t t) { return t == 3 || t == 7; }

  std::vector<optimizer::Tensor> lined_tensors() {
    std::vector<optimizer::Tensor> tensors = FakeModel<T>::tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      tensors[t].shape = kLinedShapes[t];
      tensors[t].group = group_of(t);
      if (is_bias(t)) tensors[t].name += ".bias";
    }
    tensors[3].split = TALWEG_SPLIT_AT;
    tensors[3].split_at = 2;
    tensors[4].split = TALWEG_SPLIT_PAIR;
    tensors[4].split_at = 0;
    tensors[4].split_to = 2;
    return tensors;
  }

  std::vector<talweg_matrix_view> views(talweg_split split) {
    std::vector<talweg_matrix_view> result;
    talweg_line_counts counts{};
    for (const optimizer::Tensor& tensor : lined_tensors()) {
      talweg_matrix_view view = matrix_view_of(split, tensor.shape, tensor);
      if (talweg_number_lines(&view, &counts) == 0)
        throw std::runtime_error("a tensor of the test has too many lines");
      result.push_back(view);
    }
    return result;
  }

  std::vector<const void*> gradients() const {
    std::vector<const void*> result = FakeModel<T>::gradients();
    std::replace(result.begin(), result.end(), static_cast<const void*>(nullptr),
                 static_cast<const void*>(&no_elements));
    return result;
  }
};

template <class T>
optimizer::Optimizer make_lined(const LinedRule<T>& rule, LinedModel<T>& model,
                                std::uint32_t threads = 0) {
  return make_optimizer(rule.image, model.lined_tensors(), 2, threads);
}

}  // namespace talweg::tests
