#include "compiler/ir/over_facts.h"

namespace talweg::ir {

std::vector<bool> find_over_facts(const Graph& graph) {
  std::vector<bool> over_facts(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    over_facts[i] = node.kind == NodeKind::Constant || node.kind == NodeKind::Fact ||
                    (node.operand_count() > 0 && node.kind != NodeKind::Reduce);
    for (int k = 0; k < node.operand_count(); ++k)
      if (!over_facts[node.operands[static_cast<std::size_t>(k)].index]) over_facts[i] = false;
  }
  return over_facts;
}

}  // namespace talweg::ir
