// What every symbol of a rule is worth at one point of it, and how two arms of a branch are
// compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/sema/typed_rule.h"

namespace talweg::ir {

/// One slot a symbol that can be assigned. A slot without a value is a symbol not assigned yet: it
/// is what the step found.
///
/// Changes are kept in a trail, so that an arm costs what it assigns and not what the rule
/// declares.
class Environment {
 public:
  struct Change {
    std::size_t slot = 0;
    NodeId value;
  };

  explicit Environment(const sema::TypedRule& rule);

  /// The slot of Param, Grad, Update, a State, a Hyper (bound ones get values) or a Local.
  [[nodiscard]] std::size_t slot(sema::Symbol symbol) const;
  /// Holds, where stages have conditions, a Bool: the tensors for which `update` was assigned.
  static constexpr std::size_t kUpdateAssigned = 3;

  /// The symbol of a slot (of kUpdateAssigned, which has none of its own: Update).
  [[nodiscard]] sema::Symbol symbol(std::size_t slot) const;
  [[nodiscard]] NodeId operator[](std::size_t slot) const { return values_[slot]; }
  void set(std::size_t slot, NodeId value);

  /// A point to go back to.
  [[nodiscard]] std::size_t mark() const { return trail_.size(); }
  /// By slot, whether it was set since `mark` on the way to here.
  [[nodiscard]] std::vector<bool> set_since(std::size_t mark) const;
  /// Undoes what was set since `mark` and returns it: the last value of each slot, by slot.
  std::vector<Change> take_back(std::size_t mark);

 private:
  static constexpr std::size_t kFixedSlots = 4;  // Param, Grad, Update, kUpdateAssigned
  std::size_t first_hyper_, first_local_;
  std::vector<NodeId> values_;
  std::vector<Change> trail_;  // what a slot held before
};

}  // namespace talweg::ir
