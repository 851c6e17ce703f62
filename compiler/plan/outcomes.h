// What conditions say about each other: `rank < 2` and `rank >= 2` never hold together.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// False for numbers that are never NaN.
bool may_be_nan(const ir::Graph& graph, ir::NodeId number);

/// All combinations of what some conditions may depend on: of the numbers that they compare with
/// constants, a value for each result that the comparisons may have; every other condition holds or
/// does not.
class Outcomes {
 public:
  using Set = std::vector<bool>;  // by outcome

  Outcomes(const ir::Graph& graph, std::span<const ir::NodeId> conditions);

  /// False where there are too many to look at; then nothing can be told.
  [[nodiscard]] bool are_few() const { return are_few_; }
  [[nodiscard]] Set all() const { return Set(count_, true); }
  [[nodiscard]] Set none() const { return Set(count_, false); }
  /// Those in which a condition, or part of one, holds or does not.
  [[nodiscard]] Set where(ir::NodeId condition, bool holds) const;
  /// Those in which all of some hold.
  [[nodiscard]] Set where_all(std::span<const Assumption> assumptions) const;

 private:
  struct Axis {
    std::vector<double> values;
    std::size_t stride = 1;
  };

  [[nodiscard]] ir::NodeId key(ir::NodeId id) const;
  void find_axes(ir::NodeId condition);
  void add_values(ir::NodeId number, double limit);
  [[nodiscard]] double at(const Axis& axis, std::size_t outcome) const {
    return axis.values[outcome / axis.stride % axis.values.size()];
  }

  const ir::Graph& graph_;
  std::map<ir::NodeId, Axis> axes_;
  std::size_t count_ = 1;
  bool are_few_ = true;
};

/// False if some conditions cannot hold together.
bool may_hold(const ir::Graph& graph, std::span<const Assumption> assumptions);

/// By list of assumptions: whether it may be the first of which all hold.
std::vector<bool> may_be_first(const ir::Graph& graph,
                               const std::vector<std::vector<Assumption>>& lists);

}  // namespace talweg::plan
