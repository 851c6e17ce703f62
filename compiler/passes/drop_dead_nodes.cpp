// Removes nodes that no result of a step, no view, no initial value and no presence needs. The
// others keep their order.
#include <utility>
#include <vector>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewriter.h"

namespace talweg::passes {

using ir::NodeId;

namespace {

std::vector<bool> find_needed(const ir::Graph& graph) {
  std::vector<bool> needed(graph.nodes.size());
  const auto mark = [&](NodeId id) {
    if (id.valid()) needed[id.index] = true;
  };
  ir::Graph::visit_results(graph, mark);
  for (const ir::StateInfo& state : graph.states) {
    mark(state.initial);
    mark(state.present);
  }
  for (const ir::InputInfo& input : graph.inputs) mark(input.present);
  for (const ir::ViewInfo& view : graph.views) mark(view.value);
  for (const ir::Requirement& requirement : graph.requirements) mark(requirement.condition);
  // Users stand after their operands.
  for (std::size_t i = graph.nodes.size(); i-- > 0;)
    if (needed[i])
      for (const NodeId operand : graph.nodes[i].operands) mark(operand);
  return needed;
}

}  // namespace

ir::Graph drop_dead_nodes(const ir::Graph& graph) {
  const std::vector<bool> needed = find_needed(graph);
  Rewriter rewriter(graph);
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    if (!needed[i]) continue;
    const ir::Node node = rewriter.mapped(graph.nodes[i]);
    rewriter.replace(NodeId(i), rewriter.target().add(node));
  }
  return std::move(rewriter).finish();
}

ir::Graph step_alone(ir::Graph graph) {
  bool drops = !graph.views.empty();
  graph.views.clear();
  for (ir::StateInfo& state : graph.states) {
    if (!ir::computes_initial(graph, state)) continue;
    state.initial = {};
    drops = true;
  }
  return drops ? drop_dead_nodes(graph) : std::move(graph);
}

}  // namespace talweg::passes
