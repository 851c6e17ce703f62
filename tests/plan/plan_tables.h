// What programs and loops of a plan leave for others, in tests that run plans.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/ir/interpret.h"
#include "tests/ir/whole_step.h"

namespace talweg::tests {

/// Who runs: the model, a group, a tensor, one of its matrices, rows or columns, or an element.
struct Place {
  ir::Rate rate = ir::Rate::Model;
  std::size_t group = 0, tensor = 0;
  std::size_t number = 0;  // of the matrix, row, column or element in its tensor

  /// The matrix, row or column (as numbered in the tensor) that this place belongs to.
  [[nodiscard]] std::size_t line(ir::Rate of, const TensorCase& given) const;
};

/// What a rate up to row or column has one of for each of its index values.
struct Known {
  std::map<ir::NodeId, ir::Value> slots;
  std::map<ir::NodeId, double> reduced;
  std::map<std::uint32_t, double> partials, new_states;
  std::map<std::uint32_t, ir::Value> bound;
};

/// What a pass over elements leaves of a tensor, by partial: of its only chunk; of rows; of
/// columns.
struct LeftByLoops {
  std::map<std::uint32_t, double> chunk;
  std::map<std::uint32_t, std::vector<double>> rows, cols;
};

class PlanTables {
 public:
  explicit PlanTables(const StepCase& given);

  /// Of a rate that is the place's or slower.
  Known& at(ir::Rate rate, const Place& place);
  LeftByLoops& left(std::size_t tensor) { return left_[tensor]; }

 private:
  const StepCase& given_;
  Known model_;
  std::vector<Known> groups_, tensors_;
  std::map<ir::Rate, std::vector<std::vector<Known>>> lines_;  // by tensor and number
  std::vector<LeftByLoops> left_;
};

}  // namespace talweg::tests
