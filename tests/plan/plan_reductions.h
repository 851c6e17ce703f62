// Folds what programs and loops have left, as a plan says, in tests that run plans.
#pragma once

#include "compiler/plan/plan.h"
#include "tests/ir/whole_step.h"
#include "tests/plan/plan_tables.h"

namespace talweg::tests {

class PlanReductions {
 public:
  PlanReductions(const plan::Plan& plan, const StepCase& given, const WholeStep& expected,
                 PlanTables& tables)
      : graph_(plan.graph), given_(given), expected_(expected), tables_(tables) {}

  /// Leaves the reduction where nodes read it.
  void reduce(const plan::PlannedReduction& reduction);
  /// A reduction folded what nothing has left: loops leave out what no result depends on.
  [[nodiscard]] bool lacks_some() const { return lacks_some_; }

 private:
  [[nodiscard]] bool ranges_over(const ir::Node& node, std::size_t tensor) const;
  double found(const std::map<std::uint32_t, double>& partials, std::uint32_t partial);
  double found(const std::map<std::uint32_t, std::vector<double>>& partials, std::uint32_t partial,
               std::size_t number);
  double own(const plan::PlannedReduction& reduction, const Place& place);
  double of_line(const plan::PlannedReduction& reduction, std::size_t tensor, std::size_t line);
  double of_matrix(const plan::PlannedReduction& reduction, std::size_t tensor, std::size_t matrix);
  double of_tensor(const plan::PlannedReduction& reduction, std::size_t tensor);
  void reduce_in_tensor(const plan::PlannedReduction& reduction, std::size_t tensor);
  double fold_tensors(const plan::PlannedReduction& reduction, const std::size_t* group);
  double fold_groups(const plan::PlannedReduction& reduction);

  const ir::Graph& graph_;
  const StepCase& given_;
  const WholeStep& expected_;
  PlanTables& tables_;
  bool lacks_some_ = false;
};

}  // namespace talweg::tests
