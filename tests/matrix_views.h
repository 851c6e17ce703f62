// How a test's tensors are seen as matrices.
#pragma once

#include <stdexcept>
#include <vector>

#include "runtime/memory/matrix_view.h"

namespace talweg::tests {

/// `tensor` is anything with how it says itself that it splits; throws where it does not fit.
template <class Tensor>
talweg_matrix_view matrix_view_of(std::uint32_t split, const std::vector<std::uint64_t>& shape,
                                  const Tensor& tensor) {
  talweg_tensor shaped{};
  shaped.shape = shape.data();
  shaped.rank = static_cast<std::uint32_t>(shape.size());
  shaped.split = tensor.split;
  shaped.split_at = tensor.split_at;
  shaped.split_to = tensor.split_to;
  talweg_matrix_view view;
  if (talweg_view_tensor(split, &shaped, &view) != TALWEG_VIEW_FITS)
    throw std::runtime_error("a tensor of the test has no view");
  return view;
}

/// How many matrices, rows or columns it has.
inline std::uint64_t count_lines(const talweg_matrix_view& view, std::uint8_t rate) {
  const std::uint64_t matrices = talweg_count_matrices(&view);
  if (rate == TALWEG_RATE_ROW) return matrices * view.rows;
  return rate == TALWEG_RATE_COL ? matrices * view.cols : matrices;
}

}  // namespace talweg::tests
