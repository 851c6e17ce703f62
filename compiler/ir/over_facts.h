// What is known of a tensor where the optimizer is built.
#pragma once

#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::ir {

/// By node: whether it is computed from facts of a tensor and constants alone. `is_finite(x)`, say,
/// has rate tensor too where x is one of two scalars by a fact, but changes from step to step.
std::vector<bool> find_over_facts(const Graph& graph);

}  // namespace talweg::ir
