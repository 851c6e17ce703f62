// The part of verify.h about regrads.
#pragma once

#include <vector>

#include "compiler/ir/verify.h"

namespace talweg::ir {

/// Adds what is wrong with them in a graph whose nodes have no faults.
void find_regrad_faults(const Graph& graph, std::vector<Fault>& faults);

}  // namespace talweg::ir
