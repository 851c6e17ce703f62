#include "compiler/ir/build/exits.h"

#include "compiler/ir/make_node.h"

namespace talweg::ir {

using builtins::Op;

NodeId Exits::both(NodeId a, NodeId b) {
  if (!a.valid()) return b;
  if (graph_[a].kind == NodeKind::Constant) return graph_[a].value != 0 ? b : a;
  if (graph_[b].kind == NodeKind::Constant) return graph_[b].value != 0 ? a : b;
  return arithmetic_.add(make_apply(graph_, Op::And, {a, b}));
}

NodeId Exits::either(NodeId a, NodeId b) {
  if (!a.valid()) return b;
  return arithmetic_.add(make_apply(graph_, Op::Or, {a, b}));
}

NodeId Exits::exited() {
  if (!skipped_.valid()) return held_;
  return held_.valid() ? either(skipped_, held_) : skipped_;
}

/// A run's condition reaches over the ones before it, which were asked first: so a row of exits
/// needs one node each, however many places there are.
void Exits::extend(std::vector<Run>& runs, NodeId taken, NodeId value) {
  if (runs.empty() || runs.back().value != value)
    runs.push_back({taken, value});
  else
    runs.back().taken = taken;
}

NodeId Exits::reached(std::span<const NodeId> conditions) {
  NodeId result;
  if (any()) result = arithmetic_.add(make_apply(graph_, Op::Not, {exited()}));
  for (const NodeId condition : conditions) result = both(result, condition);
  return result.valid() ? result : arithmetic_.add(make_truth(true));
}

void Exits::add(sema::ExitKind kind, std::span<const NodeId> conditions,
                const std::function<NodeId(std::size_t place)>& value_left) {
  const NodeId taken = reached(conditions);
  if (graph_[taken].kind == NodeKind::Constant && graph_[taken].value == 0) return;
  const bool skips = kind == sema::ExitKind::Skip;
  NodeId& taken_of_kind = skips ? skipped_ : held_;
  taken_of_kind = either(taken_of_kind, taken);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    const NodeId value = value_left(i);
    extend(skips ? place.skips : place.holds, taken_of_kind, value);
    if (skips && value.valid()) place.kept = either(place.kept, taken);
  }
}

NodeId Exits::stored(std::size_t place, NodeId completed, const std::function<NodeId()>& found) {
  NodeId result = completed;
  for (const std::vector<Run>* runs : {&places_[place].holds, &places_[place].skips})
    for (std::size_t i = runs->size(); i-- > 0;) {
      const Run& run = (*runs)[i];
      if (run.value == result) continue;
      const NodeId value = run.value.valid() ? run.value : found();
      result = arithmetic_.select(run.taken, value, result.valid() ? result : found());
    }
  return result;
}

}  // namespace talweg::ir
