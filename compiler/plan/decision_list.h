// A tree of questions as a list of answers, of which the first that fits is taken.
#pragma once

#include <cstddef>
#include <vector>

#include "compiler/plan/call_ways.h"

namespace talweg::plan {

struct Decision {
  std::vector<Assumption> assumptions;  // where all hold; the last decision has none
  std::size_t kind = 0;
};

/// As short as can be. `kinds`: by part of `ways`, what is done in it (of one that asks: unused).
/// `sizes`: by kind, how many entries it takes.
std::vector<Decision> list_decisions(const CallWays& ways, const std::vector<std::size_t>& kinds,
                                     const std::vector<std::size_t>& sizes);

}  // namespace talweg::plan
