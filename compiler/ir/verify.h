// Checks every invariant of a graph; what is checked is listed in verify.cpp.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::ir {

/// Sentences naming what is wrong, empty for a good graph. Used on graphs read from text.
std::vector<std::string> find_faults(const Graph& graph);
/// A fault here is our bug: exits with 70 naming `after` (the pass that ran last).
void verify(const Graph& graph, std::string_view after);

}  // namespace talweg::ir
