// Graphs written by hand, as the front end would make them.
#pragma once

#include "compiler/ir/graph.h"

namespace talweg::tests {

/// AdamW: hypers lr, beta1, beta2, eps, weight_decay; states m, v; both moments corrected for bias.
ir::Graph adamw_graph();
/// One operation on up to three arrays (param, grad, state m); a Bool result selects between two of
/// them. The result is stored to state r without flushing, and to param flushed.
ir::Graph operation_graph(builtins::Op op);

}  // namespace talweg::tests
