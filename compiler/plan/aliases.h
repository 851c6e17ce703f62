// What is left of a graph where some conditions are known: a select is one of its arms.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// By node: what is known of a Bool, nothing or its value.
using Truths = std::vector<std::optional<bool>>;

struct Resolved {
  std::vector<ir::NodeId> alias;  // by node: what stands for it
  Truths truths;
  std::vector<bool> live;  // by node: some result of the step is computed from it
  /// Where only what is assumed of the model is known, on any route; nothing: that is all.
  std::shared_ptr<const Resolved> shared;
  bool may_be = true;  // false: the assumptions contradict each other
};

/// True for values that a loop over elements finds in slots.
inline bool is_before_loop(const ir::Node& node) { return node.rate != ir::Rate::Element; }

class Aliases {
 public:
  Aliases(const ir::Graph& graph, types::ComputeType compute);

  /// Where all assumptions of both lists hold. Scalars up to group rate stand for themselves:
  /// what is slower than a loop is computed as it stands.
  [[nodiscard]] Resolved resolve(std::span<const Assumption> route,
                                 std::span<const Assumption> assumptions) const;
  /// A condition of rate const that is the same in every step.
  [[nodiscard]] bool is_constant(ir::NodeId id) const {
    return constant_truths_[id.index].has_value();
  }
  /// Known where the optimizer is built.
  [[nodiscard]] bool is_over_facts(ir::NodeId id) const { return over_facts_[id.index]; }

 private:
  [[nodiscard]] bool is_scalar(std::size_t i) const;
  bool spread(Truths& truths) const;
  [[nodiscard]] ir::NodeId gradient(ir::NodeId id, const std::vector<ir::NodeId>& alias,
                                    const Truths& truths) const;
  ir::NodeId stand_in(ir::NodeId id, const std::vector<ir::NodeId>& alias, Truths& truths) const;

  const ir::Graph& graph_;
  Truths constant_truths_;
  std::vector<bool> over_facts_;
  ir::NodeId first_gradient_;             // not valid: there is none
  std::vector<ir::NodeId> scalar_logic_;  // `and`, `or` and `not` of scalars
};

}  // namespace talweg::plan
