// Runs steps of a rule with matrices, rows and columns through the optimizer, over tensors of given
// shapes: what tests compare between targets, and with plain C++.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "runtime/memory/matrix_view.h"
#include "runtime/optimizer/optimizer.hpp"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/guarded_memory.h"

namespace talweg::tests {

using Shape = std::vector<std::uint64_t>;

enum class Numbers : std::uint8_t {
  Plain,    // below 1, of either sign
  Hard,     // one of ten is special: zeros, subnormals, infinities, NaN; or of any magnitude
  Extreme,  // magnitudes from 1e-38 to 1e38, and -0
};

struct LinedTensor {
  Shape shape;
  std::uint32_t group = 0;
  std::uint32_t absent_in_step = 0;  // in which it has no gradient; 0: in none
  std::uint32_t split = TALWEG_SPLIT_NONE;
  std::uint32_t split_at = 0, split_to = 0;
};

/// What a step was given for the matrices, rows or columns of tensors, [tensor][line]; by name.
using GivenLines = std::map<std::string, std::vector<std::vector<double>>>;

/// Tensors of these shapes, in two groups by turns; every fourth is without gradient in a step.
std::vector<LinedTensor> lined_tensors(const std::vector<Shape>& shapes);

/// An optimizer with parameters and gradients of its own, as numbers of the compute type `T`, in
/// memory that ends where they end, or begins where they begin.
template <class T>
class LinedRun {
 public:
  LinedRun(const std::shared_ptr<driver::Program>& program, std::vector<LinedTensor> tensors,
           std::uint32_t threads, Numbers numbers = Numbers::Plain, std::uint64_t seed = 1);

  /// Gives every tensor a new gradient, and of inputs of matrices, rows and columns those that are
  /// not called "bonus" every step, that one in every second; then makes a step; its outcome.
  optimizer::StepOutcome step();

  /// All parameters and all that persists, in one order on every target.
  [[nodiscard]] Outcome everything();
  /// What persists under a name ("m/w0", of whichever stage); fails the test if there is no such
  /// entry.
  [[nodiscard]] Outcome persistent(const std::string& name);

  std::vector<std::vector<T>> params, grads;  // copies of what is there after a step
  GivenLines given;                           // of the last step
  std::unique_ptr<optimizer::Optimizer> optimizer;

 private:
  T number();
  /// Numbers for all lines of this rate of a tensor, in `memory`; empty where it has none.
  template <class Number>
  std::vector<double> draw_lines(std::size_t tensor, std::uint8_t rate,
                                 std::vector<GuardedArray>& memory);
  void draw_inputs(optimizer::StepInputs& inputs, std::vector<GuardedArray>& memory);
  /// Numbers in guarded memory, and in `copy`.
  void fill(std::vector<T>& copy, const GuardedArray& memory);

  std::vector<LinedTensor> tensors_;
  std::vector<GuardedArray> param_memory_, grad_memory_;
  Numbers numbers_;
  std::uint64_t state_;
  std::vector<talweg_matrix_view> views_;  // where the rule has matrices
  std::uint32_t steps_ = 0;
};

extern template class LinedRun<float>;
extern template class LinedRun<double>;

}  // namespace talweg::tests
