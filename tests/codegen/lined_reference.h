// Matrices, rows and columns of a tensor and reductions to them, in plain C++ that goes by the
// index of every element: it shares nothing with how the runtime sees tensors.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/codegen/lined_run.h"

namespace talweg::tests {

using Values = std::vector<double>;
/// The values of each matrix, row or column.
using Parts = std::vector<Values>;

double sum(const Values& values);
Values means(const Parts& parts);
Values norms(const Parts& parts);
Values smallest(const Parts& parts);
Values largest(const Parts& parts);

class Lines {
 public:
  /// Dimensions that are neither number the matrices.
  Lines(const Shape& shape, const std::vector<std::size_t>& row_dimensions,
        const std::vector<std::size_t>& col_dimensions);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t cols() const { return cols_; }
  /// Numbers within the tensor, rows and columns matrix by matrix.
  [[nodiscard]] std::size_t matrix_of(std::size_t element) const { return matrix_[element]; }
  [[nodiscard]] std::size_t row_of(std::size_t element) const;
  [[nodiscard]] std::size_t col_of(std::size_t element) const;

  [[nodiscard]] Parts by_row(const Values& elements) const;
  [[nodiscard]] Parts by_col(const Values& elements) const;
  [[nodiscard]] Parts by_matrix(const Values& elements) const;
  /// Of one value for each row, or column.
  [[nodiscard]] Parts rows_by_matrix(const Values& rows) const;
  [[nodiscard]] Parts cols_by_matrix(const Values& cols) const;

 private:
  std::size_t rows_ = 1, cols_ = 1, matrices_ = 1;
  std::vector<std::size_t> matrix_, row_, col_;  // of each element; the latter within the matrix
};

/// What rule Every (lined_rules.h) keeps for the rows, columns or matrices of a tensor.
struct Kept {
  std::map<std::string, Values> values;

  /// One step.
  void take(const Parts& grads, const Parts& params);
};

}  // namespace talweg::tests
