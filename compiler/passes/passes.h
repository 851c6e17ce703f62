// Every pass, one file each; the order they run in is in pipeline.cpp.
#pragma once

#include "compiler/ir/graph.h"

namespace talweg::passes {

ir::Graph drop_dead_nodes(const ir::Graph& graph);
/// The same graph without views and initial values that take a run of their own over tensors, and
/// without what only these need.
ir::Graph step_alone(ir::Graph graph);
ir::Graph expand_scalar_division(const ir::Graph& graph);
ir::Graph fold_constants(const ir::Graph& graph);
ir::Graph merge_duplicates(const ir::Graph& graph);
ir::Graph simplify_flush(const ir::Graph& graph);

}  // namespace talweg::passes
