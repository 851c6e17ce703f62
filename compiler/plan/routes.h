// The routes of a plan: what tensors differ in.
#pragma once

#include <vector>

#include "compiler/plan/aliases.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

/// Ways through a rule that get loops of their own; beyond, conditions on facts are like others.
inline constexpr std::size_t kMaxRoutes = 1024;

/// The ways that tensors take, by the conditions on facts that decide what is done with elements.
/// `plan` has its graph and partials.
std::vector<Route> make_routes(const Plan& plan, const Aliases& aliases);

}  // namespace talweg::plan
