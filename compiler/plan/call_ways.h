// How a call can go, as far as that is known before a pass: whether it was skipped or held, and for
// which gradients the step has waited.
#pragma once

#include <vector>

#include "compiler/plan/aliases.h"

namespace talweg::plan {

/// What is assumed in each way; every call goes one of them. The last `going_on` complete a step,
/// and the very last one is what is left where none of the others is.
struct CallWays {
  std::vector<std::vector<Assumption>> ways;
  std::size_t going_on = 1;
};

/// `ends_are_known`: `skipped` and `held` are; so are the conditions of the first `regrad_count`
/// regrads.
CallWays find_call_ways(const ir::Graph& graph, const Aliases& aliases, bool ends_are_known,
                        std::size_t regrad_count);

}  // namespace talweg::plan
