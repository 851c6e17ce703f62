// When values are available. A reduction is ready only after its operands were seen everywhere, so
// it opens the next phase: what depends on it is computed after.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::ir {

/// By node: its phase, from 0: the most reductions that lie one behind another on the way to it.
/// A count needs no value and opens none.
std::vector<std::uint32_t> find_phases(const Graph& graph);

/// The reductions in the order of their nodes.
std::vector<NodeId> find_reductions(const Graph& graph);

/// The sets of tensors that reductions range over, where those are not all: their conditions, each
/// once, in the order of first use.
std::vector<NodeId> find_domains(const Graph& graph);

/// The last operand of a reduction: the tensors that it ranges over.
NodeId domain_of(const Node& reduction);

}  // namespace talweg::ir
