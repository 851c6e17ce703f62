// Which tensors keep a state, and may be asked for an input: those for which some result of the
// step depends on it.
#pragma once

#include "compiler/ir/graph.h"

namespace talweg::ir {

/// Narrows the presence of states and inputs that differ by tensor to where, by its facts alone,
/// the step of a tensor reads them or leaves something new in them: `if rank >= 2` decides what is
/// kept as `when` does. Everything else of the graph is complete.
void narrow_presence(Graph& graph);

}  // namespace talweg::ir
