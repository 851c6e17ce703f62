#include "compiler/ir/input_demand.h"

namespace talweg::ir {

std::vector<bool> depend_on_inputs(const Graph& graph) {
  std::vector<bool> depends(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    depends[i] = node.kind == NodeKind::Input;
    for (int k = 0; k < node.operand_count(); ++k)
      if (depends[node.operands[static_cast<std::size_t>(k)].index]) depends[i] = true;
  }
  return depends;
}

}  // namespace talweg::ir
