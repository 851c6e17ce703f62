// When values are available. A reduction is ready only after its operands were seen everywhere, so
// it opens the next phase: what depends on it is computed after. So does a new gradient, for which
// the step waits behind a whole phase.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::ir {

/// By node: its phase, from 0: the most reductions and regrads that lie one behind another on the
/// way to it. A count needs no value and opens none.
std::vector<std::uint32_t> find_phases(const Graph& graph);

/// By regrad: the phase behind which the step waits, where nodes have their phases: all that it
/// needs is known then, and the one before it is over.
std::vector<std::uint32_t> find_regrad_phases(const Graph& graph,
                                              const std::vector<std::uint32_t>& phases);

/// Of a Grad node: the first phase in which it is there. Nodes before it have their phases.
std::uint32_t first_phase_of_gradient(const Graph& graph, const Node& gradient,
                                      const std::vector<std::uint32_t>& phases);

/// The reductions in the order of their nodes.
std::vector<NodeId> find_reductions(const Graph& graph);

/// The sets of tensors that reductions range over, where those are not all: their conditions, each
/// once, in the order of first use.
std::vector<NodeId> find_domains(const Graph& graph);

/// The last operand of a reduction: the tensors that it ranges over.
NodeId domain_of(const Node& reduction);

}  // namespace talweg::ir
