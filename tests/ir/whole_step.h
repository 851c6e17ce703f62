// A step over a few tensors and groups, as its graph says: what passes and plans are compared with.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/ir/interpret.h"
#include "compiler/types/compute_type.h"
#include "tests/ir/random_graph.h"

namespace talweg::tests {

struct TensorCase {
  std::uint32_t group = 0;
  bool takes_part = true;  // it has a gradient
  std::vector<double> facts, states, inputs;
  std::vector<ir::ElementContext> elements;      // by matrix, row, column, if it has any
  std::size_t matrices = 0, rows = 0, cols = 0;  // of a tensor of rank 2 or more; else 0
  /// [matrix][state], and of all rows and of all columns, numbered by matrix; likewise inputs.
  std::vector<std::vector<double>> matrix_states, row_states, col_states;
  std::vector<std::vector<double>> matrix_inputs, row_inputs, col_inputs;

  [[nodiscard]] std::size_t count_of(types::Rate rate) const {
    if (rate == types::Rate::Matrix) return matrices;
    return matrices * (rate == types::Rate::Row ? rows : cols);
  }
};

/// What a step is given.
struct StepCase {
  std::vector<ir::ScalarContext> groups;  // what is of the model is the same in all; not `reduced`
  std::vector<TensorCase> tensors;
};

/// Up to three groups and five tensors of up to 70 elements, some without a gradient.
StepCase random_step(const ir::Graph& graph, types::ComputeType compute, Random& random);

/// Values of all nodes in one step. Everything is evaluated, then the reductions whose operands are
/// right by then, then everything again, until all are known.
class WholeStep {
 public:
  WholeStep(const ir::Graph& graph, types::ComputeType compute, const StepCase& given);

  [[nodiscard]] ir::Value of_group(std::size_t group, ir::NodeId id) const {
    return group_values_[group][id.index];
  }
  /// Of a tensor or element that takes part.
  [[nodiscard]] ir::Value of_tensor(std::size_t tensor, ir::NodeId id) const {
    return tensor_values_[tensor][id.index];
  }
  /// Of a matrix, row or column of it; rows and columns are numbered by matrix.
  [[nodiscard]] ir::Value of_line(ir::Rate rate, std::size_t tensor, std::size_t line,
                                  ir::NodeId id) const {
    return line_values_.at(rate)[tensor][line][id.index];
  }
  [[nodiscard]] ir::Value of_element(std::size_t tensor, std::size_t element, ir::NodeId id) const {
    return element_values_[tensor][element][id.index];
  }

 private:
  using Values = std::vector<ir::Value>;  // by node

  void evaluate();
  void evaluate_tensor(ir::Machine& machine, std::size_t tensor);
  [[nodiscard]] Values snapshot(const ir::Machine& machine) const;
  [[nodiscard]] ir::LineContext line_context(ir::Rate rate, std::size_t tensor,
                                             std::size_t line) const;
  void reduce(std::size_t reduction);
  void reduce_tensor(std::size_t reduction, std::size_t tensor);
  [[nodiscard]] double value_of_matrix(const ir::Node& node, std::size_t tensor,
                                       std::size_t matrix) const;
  [[nodiscard]] double value_of_row(const ir::Node& node, std::size_t tensor,
                                    std::size_t row) const;
  [[nodiscard]] double value_of_col(const ir::Node& node, std::size_t tensor,
                                    std::size_t col) const;
  /// The values [first, first + count) as one sequence.
  [[nodiscard]] double fold_values(const ir::Node& node, const std::vector<Values>& values,
                                   std::size_t first, std::size_t count) const;
  [[nodiscard]] bool ranges_over(const ir::Node& node, std::size_t tensor) const;
  [[nodiscard]] double fold_elements(const ir::Node& node, std::size_t tensor) const;
  [[nodiscard]] double value_of_tensor(const ir::Node& node, std::size_t tensor) const;
  [[nodiscard]] double fold_tensors(const ir::Node& node, std::uint32_t group) const;
  [[nodiscard]] double fold_groups(const ir::Node& node) const;

  const ir::Graph& graph_;
  types::ComputeType compute_;
  const StepCase& given_;
  std::vector<ir::NodeId> reductions_;
  std::vector<std::vector<double>> group_reduced_, tensor_reduced_;
  std::vector<Values> group_values_, tensor_values_;
  std::vector<std::vector<Values>> element_values_;
  /// By rate (matrix, row, col), tensor and line.
  std::map<ir::Rate, std::vector<std::vector<Values>>> line_values_;
  std::map<ir::Rate, std::vector<std::vector<std::vector<double>>>> line_reduced_;
};

/// One value of a fold: a product for a dot product, what `a` is for the others.
double fold_one(builtins::Fold fold, double a, double b);

/// How results of a fold fold: those of products are summed.
builtins::Fold fold_of_results(builtins::Fold fold);

/// What a step leaves: all results (Graph::visit_results), initial values and views in table order,
/// each for everything that the place differs by.
std::vector<ir::Value> outcome(const ir::Graph& graph, types::ComputeType compute,
                               const StepCase& given);

}  // namespace talweg::tests
