// A step over a few tensors and groups, as its graph says: what passes and plans are compared with.
#pragma once

#include <cstdint>
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
  std::vector<ir::ElementContext> elements;
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
  [[nodiscard]] ir::Value of_element(std::size_t tensor, std::size_t element, ir::NodeId id) const {
    return element_values_[tensor][element][id.index];
  }

 private:
  using Values = std::vector<ir::Value>;  // by node

  void evaluate();
  void reduce(std::size_t reduction);
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
