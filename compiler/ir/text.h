// The text form of a graph, and its reader. print(read(print(g))) == print(g), and reads the same graph.
#pragma once

#include <string>
#include <string_view>

#include "compiler/base/diagnostics.h"
#include "compiler/base/result.h"
#include "compiler/base/source.h"
#include "compiler/ir/graph.h"

namespace talweg::ir {

std::string print(const Graph& graph);
/// Failure (kind Program) with line and column for text that is no graph, or one with faults.
base::Result<Graph> read_graph(std::string_view name, std::string_view text);

}  // namespace talweg::ir
