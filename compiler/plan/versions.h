// The versions of a pass's loop: what is left of it where scalar conditions are known.
#pragma once

#include <vector>

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// User's conditions that are tried both ways; a rule with more gets loops that decide per element.
inline constexpr std::size_t kMaxEnumeratedConditions = 3;

struct RoutesAndVersions {
  std::vector<Route> routes;
  std::vector<LoopVersion> versions;  // by route; the last of each without assumptions
};
RoutesAndVersions make_versions(const ir::Graph& graph, types::ComputeType compute,
                                const std::vector<Stream>& streams);

}  // namespace talweg::plan
