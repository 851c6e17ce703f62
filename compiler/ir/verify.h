// Checks every invariant of a graph; what is checked is listed in verify.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::ir {

struct Fault {
  NodeId node;          // the node that is wrong; not valid() for faults of a table or a store
  std::string message;  // a sentence without its full stop
};

/// What is wrong, in the order of tables, nodes, stores; empty for a good graph. At most 20 faults.
std::vector<Fault> find_faults(const Graph& graph);
/// Whether a value is computed from constants, hypers and param alone.
bool is_known_before_step(const Graph& graph, NodeId id);
/// A fault here is our bug: exits with 70 naming `after` (the pass that ran last).
void verify(const Graph& graph, std::string_view after);

}  // namespace talweg::ir
