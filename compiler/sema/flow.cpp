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

Flow::Start Flow::enter_arm() {
  unread_.emplace_back();
  return {journal_.size(), update};
}

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
  unread_.pop_back();
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

  if (update.on_every_path) return;
  update.on_every_path = a.update.on_every_path && b.update.on_every_path;
  for (const UpdateState* arm : {&a.update, &b.update}) {
    if (arm->assigned) update.assigned = arm->assigned;
    if (arm->condition) update.condition = arm->condition;
  }
  if (a.update.on_every_path != b.update.on_every_path) update.condition = condition;
}

std::optional<Span> Flow::wrote(Symbol symbol, Span span) {
  std::optional<Span> earlier;
  auto& innermost = unread_.back();
  if (const auto it = innermost.find(key(symbol)); it != innermost.end()) earlier = it->second;
  read(symbol);
  innermost[key(symbol)] = span;
  return earlier;
}

void Flow::read(Symbol symbol) {
  for (auto& open : unread_) open.erase(key(symbol));
}

void Flow::read_all(SymbolKind kind) {
  const auto is_kind = [&](const auto& entry) {
    return static_cast<SymbolKind>(entry.first >> 32) == kind;
  };
  for (auto& open : unread_) std::erase_if(open, is_kind);
}

void Flow::begin_block() {
  unread_.assign(1, {});
  update = {};
}

}  // namespace talweg::sema
