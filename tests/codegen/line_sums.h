// Sums of rows, columns and matrices that a test can look up.
#pragma once

namespace talweg::tests {

/// Declares rule Lines.
inline constexpr const char* kLineSums = R"(
rule Lines {
  require rank >= 2
  matrix (last two)
  state row of_row
  state col of_col
  state matrix of_matrix
  state model widest
  step {
    of_row = sum(grad) per row
    of_col = sum(grad) per col
    of_matrix = sum(grad) per matrix
    widest = max(of_row) per model
  }
}
)";

}  // namespace talweg::tests
