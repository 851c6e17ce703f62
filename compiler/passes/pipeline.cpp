// The passes in the order they run. The reason for a place stands at the later pass.
#include <algorithm>
#include <utility>

#include "compiler/ir/verify.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/passes.h"

namespace talweg::passes {

namespace {

constexpr Pass kPasses[] = {
    {"expand-scalar-division", "divide by a scalar as a product with its reciprocal",
     expand_scalar_division},
    // After expand-scalar-division: divisions by the same scalar share their reciprocal and its
    // guard.
    {"merge-duplicates", "compute equal values once", merge_duplicates},
    // After expand-scalar-division: reciprocals of constants. After merge-duplicates: equal arms of
    // a select are one node.
    {"fold-constants", "compute what is known before the step", fold_constants},
    // Again: folding makes nodes equal.
    {"merge-duplicates", "compute equal values once", merge_duplicates},
    // After fold-constants: selects that are one of their arms are gone, so more is seen to be
    // flushed.
    {"simplify-flush", "flush only what can be subnormal", simplify_flush},
    // Last: every pass before leaves nodes without users.
    {"drop-dead-nodes", "remove values that nothing needs", drop_dead_nodes},
};

}  // namespace

std::span<const Pass> pipeline() { return kPasses; }

const Pass* find_pass(std::string_view name) {
  const auto* found = std::find_if(std::begin(kPasses), std::end(kPasses),
                                   [&](const Pass& pass) { return pass.name == name; });
  return found == std::end(kPasses) ? nullptr : found;
}

ir::Graph run_passes(ir::Graph graph, const Observer& observer) {
  for (const Pass& pass : kPasses) {
    graph = pass.run(graph);
    ir::verify(graph, pass.name);
    if (observer) observer(pass.name, graph);
  }
  return graph;
}

}  // namespace talweg::passes
