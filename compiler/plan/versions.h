// The versions of a pass's loop: what is left of it where scalar conditions are known.
#pragma once

#include <vector>

#include "compiler/plan/aliases.h"
#include "compiler/plan/call_ways.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

/// User's conditions that are tried both ways; a rule with more gets loops that decide per element.
inline constexpr std::size_t kMaxEnumeratedConditions = 3;

/// The loops of a pass, by route; the last of each route without assumptions.
std::vector<LoopVersion> make_versions(const UnfilledPass& pass, const Aliases& aliases,
                                       Resolver& resolve);

}  // namespace talweg::plan
