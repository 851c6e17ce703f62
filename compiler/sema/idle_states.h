// Finds states whose values reach nothing: what reads them is themselves, or states like them. Such
// a state costs memory and traffic in every step and changes no parameter.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "compiler/sema/typed_rule.h"

namespace talweg::sema {

/// A state, and the states (never none, by index) that are all its value goes into.
struct IdleState {
  std::uint32_t state = 0;
  std::set<std::uint32_t> readers;
};

/// The idle ones among the states per element. Scalar states are none: later stages may read them.
/// A rule that assigns neither `param` nor `grad` nor `update` is there for its states, so it has
/// none. `used` are states and locals that are read besides, in code that was dropped.
std::vector<IdleState> idle_states(const TypedRule& rule, const std::vector<Symbol>& used);

}  // namespace talweg::sema
