// Every pass, one file each; the order they run in is in pipeline.cpp.
#pragma once

#include "compiler/ir/graph.h"

namespace talweg::passes {

ir::Graph drop_dead_nodes(const ir::Graph& graph);
/// The same graph without its views, and without what only they need.
ir::Graph drop_views(ir::Graph graph);
ir::Graph expand_scalar_division(const ir::Graph& graph);
ir::Graph fold_constants(const ir::Graph& graph);
ir::Graph merge_duplicates(const ir::Graph& graph);
ir::Graph simplify_flush(const ir::Graph& graph);

}  // namespace talweg::passes
