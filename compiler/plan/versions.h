// The versions of a pass's loop: what is left of it where scalar conditions are known.
#pragma once

#include <vector>

#include "compiler/plan/aliases.h"
#include "compiler/plan/call_ways.h"
#include "compiler/plan/pass_work.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

/// User's conditions that are tried both ways; a rule with more gets loops that decide per element.
inline constexpr std::size_t kMaxEnumeratedConditions = 3;
/// Ways through a rule that get loops of their own; beyond, conditions on facts are like others.
inline constexpr std::size_t kMaxRoutes = 1024;

/// The ways that tensors take, by the conditions on facts that decide what is done with elements.
/// `plan` has its graph and partials.
std::vector<Route> make_routes(const Plan& plan, const Aliases& aliases);

/// The loops of a pass, by route and way of the call; the last of each route without assumptions.
std::vector<LoopVersion> make_versions(const Plan& plan, const Aliases& aliases,
                                       const std::vector<Stream>& streams, const PassWork& work,
                                       const CallWays& ways);

}  // namespace talweg::plan
