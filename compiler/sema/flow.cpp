// The state of a block's walk.
#include "compiler/sema/flow.h"

namespace talweg::sema {

std::uint32_t Flow::declare(const VarState& state) {
  vars_.push_back(state);
  return static_cast<std::uint32_t>(vars_.size() - 1);
}

void Flow::assign(std::uint32_t var, const VarState& state) {
  journal_.emplace_back(var, vars_[var]);
  vars_[var] = state;
}

Flow::Start Flow::enter_arm() { return {journal_.size(), update, unread.enter_arm()}; }

Flow::Arm Flow::leave_arm(const Start& start) {
  Arm arm;
  arm.update = update;
  while (journal_.size() > start.journal_size) {
    const auto& [var, before] = journal_.back();
    arm.changes.emplace(var, vars_[var]);  // the first seen from the end is the last state
    vars_[var] = before;
    journal_.pop_back();
  }
  update = start.update;
  arm.unread = unread.leave_arm(start.unread);
  return arm;
}

void Flow::join(const Arm& a, const Arm& b, Rate condition_rate, bool condition_known,
                Span condition) {
  std::map<std::uint32_t, VarState> joined = a.changes;
  joined.insert(b.changes.begin(), b.changes.end());
  for (auto& [var, state] : joined) {
    const auto in_a = a.changes.find(var);
    const auto in_b = b.changes.find(var);
    const VarState& from_a = in_a == a.changes.end() ? vars_[var] : in_a->second;
    const VarState& from_b = in_b == b.changes.end() ? vars_[var] : in_b->second;
    state = {from_a.known && from_b.known && condition_known, from_a.kind,
             types::join(condition_rate, types::join(from_a.rate, from_b.rate)), std::nullopt};
  }
  for (const auto& [var, state] : joined) assign(var, state);
  unread.join(a.unread, b.unread);

  if (update.on_every_path) return;
  update.on_every_path = a.update.on_every_path && b.update.on_every_path;
  for (const UpdateState* arm : {&a.update, &b.update}) {
    if (arm->assigned) update.assigned = arm->assigned;
    if (arm->condition) update.condition = arm->condition;
  }
  if (a.update.on_every_path != b.update.on_every_path) update.condition = condition;
}

void Flow::read_all(SymbolKind kind) {
  unread.read_range(key({kind, 0}), key({kind, 0xffffffffu}));
}

void Flow::begin_block() {
  unread.end_block();
  update = {};
}

}  // namespace talweg::sema
