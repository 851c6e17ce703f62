// Typed rule to graph: branches become selects, stages are joined, `param -= update` is placed, and
// the numeric rules of the language (contraction, scalar rounding, flushing, powers) become nodes.
#pragma once

#include "compiler/base/diagnostics.h"
#include "compiler/ir/graph.h"
#include "compiler/sema/typed_rule.h"

namespace talweg::ir {

/// `rule` has no errors. Reports only what needs the graph (its size, initial values); then the
/// graph is empty.
Graph build_graph(const sema::TypedRule& rule, base::Diagnostics& diagnostics);

}  // namespace talweg::ir
