#include "compiler/ir/build/environment.h"

#include <algorithm>

#include "compiler/base/check.h"

namespace talweg::ir {

Environment::Environment(const sema::TypedRule& rule)
    : first_hyper_(kFixedSlots + rule.states.size()),
      first_local_(first_hyper_ + rule.hypers.size()),
      values_(first_local_ + rule.locals.size()) {}

std::size_t Environment::slot(sema::Symbol symbol) const {
  switch (symbol.kind) {
    case sema::SymbolKind::Param:
      return 0;
    case sema::SymbolKind::Grad:
      return 1;
    case sema::SymbolKind::Update:
      return 2;
    case sema::SymbolKind::State:
      return kFixedSlots + symbol.index;
    case sema::SymbolKind::Hyper:
      return first_hyper_ + symbol.index;
    case sema::SymbolKind::Local:
      return first_local_ + symbol.index;
    case sema::SymbolKind::T:
    case sema::SymbolKind::Calls:
    case sema::SymbolKind::Input:
    case sema::SymbolKind::Given:
    case sema::SymbolKind::Fact:
      break;
  }
  TALWEG_UNREACHABLE("a symbol that is never assigned has no slot");
}

sema::Symbol Environment::symbol(std::size_t slot) const {
  using sema::SymbolKind;
  constexpr SymbolKind kFixed[kFixedSlots] = {SymbolKind::Param, SymbolKind::Grad,
                                              SymbolKind::Update, SymbolKind::Update};
  const auto from = [slot](SymbolKind kind, std::size_t first) {
    return sema::Symbol{kind, static_cast<std::uint32_t>(slot - first)};
  };
  if (slot < kFixedSlots) return {kFixed[slot], 0};
  if (slot < first_hyper_) return from(SymbolKind::State, kFixedSlots);
  if (slot < first_local_) return from(SymbolKind::Hyper, first_hyper_);
  return from(SymbolKind::Local, first_local_);
}

void Environment::set(std::size_t slot, NodeId value) {
  trail_.push_back({slot, values_[slot]});
  values_[slot] = value;
}

std::vector<bool> Environment::set_since(std::size_t mark) const {
  std::vector<bool> is_set(values_.size());
  for (std::size_t i = mark; i < trail_.size(); ++i) is_set[trail_[i].slot] = true;
  return is_set;
}

std::vector<Environment::Change> Environment::take_back(std::size_t mark) {
  std::vector<Change> changes;
  while (trail_.size() > mark) {
    const Change before = trail_.back();
    trail_.pop_back();
    changes.push_back({before.slot, values_[before.slot]});
    values_[before.slot] = before.value;
  }
  // Of several changes of a slot the last one made was taken back first, so it stands first.
  const auto by_slot = [](const Change& a, const Change& b) { return a.slot < b.slot; };
  std::stable_sort(changes.begin(), changes.end(), by_slot);
  const auto same_slot = [](const Change& a, const Change& b) { return a.slot == b.slot; };
  changes.erase(std::unique(changes.begin(), changes.end(), same_slot), changes.end());
  return changes;
}

}  // namespace talweg::ir
