// How a call ends early: the conditions of `skip if` and `hold if`, and what each leaves in every
// place.
//
// The statements after an exit are walked as if it were not there; what is stored in the end is
// selected. Of several exits the first in program order whose condition holds is the one taken.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "compiler/ir/build/arithmetic.h"
#include "compiler/ir/graph.h"
#include "compiler/sema/typed_rule.h"

namespace talweg::ir {

class Exits {
 public:
  /// Places are what stores write, counted from 0.
  Exits(Graph& graph, Arithmetic& arithmetic, std::size_t place_count)
      : graph_(graph), arithmetic_(arithmetic), places_(place_count) {}

  /// An exit, taken if all `conditions` hold (in this order: a later one is not asked for where an
  /// earlier one fails) and no earlier exit was. `value_left(place)` is what it leaves in a place;
  /// not valid() where that is as the call found it.
  void add(sema::ExitKind kind, std::span<const NodeId> conditions,
           const std::function<NodeId(std::size_t place)>& value_left);

  [[nodiscard]] bool any() const { return skipped_.valid() || held_.valid(); }
  /// Whether all `conditions` hold, in this order, and no exit so far is taken: a Bool.
  NodeId reached(std::span<const NodeId> conditions);

  /// Whether some exit so far is taken, as a new node; not valid(): there was none.
  NodeId exited();
  /// Whether some exit of a kind is taken; not valid(): there is none.
  [[nodiscard]] NodeId skipped() const { return skipped_; }
  [[nodiscard]] NodeId held() const { return held_; }
  /// Whether a skip is taken that leaves a value in the place; not valid(): none does.
  [[nodiscard]] NodeId kept(std::size_t place) const { return places_[place].kept; }

  /// What is stored: `completed` if no exit is taken. not valid() stands for what the call found,
  /// which `found` gives where it must be named.
  NodeId stored(std::size_t place, NodeId completed, const std::function<NodeId()>& found);

 private:
  /// Exits in a row that leave the same value: `taken` if one of them or of those before in its
  /// list is.
  struct Run {
    NodeId taken;
    NodeId value;
  };
  struct Place {
    std::vector<Run> skips, holds;
    NodeId kept;
  };

  static void extend(std::vector<Run>& runs, NodeId taken, NodeId value);
  NodeId both(NodeId a, NodeId b);
  NodeId either(NodeId a, NodeId b);

  Graph& graph_;
  Arithmetic& arithmetic_;
  std::vector<Place> places_;
  NodeId skipped_, held_;
};

}  // namespace talweg::ir
