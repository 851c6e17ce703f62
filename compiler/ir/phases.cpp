#include "compiler/ir/phases.h"

#include <algorithm>

namespace talweg::ir {

std::vector<std::uint32_t> find_phases(const Graph& graph) {
  std::vector<std::uint32_t> phases(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    for (int k = 0; k < node.operand_count(); ++k)
      phases[i] = std::max(phases[i], phases[node.operands[static_cast<std::size_t>(k)].index]);
    if (node.kind == NodeKind::Reduce && node.fold != builtins::Fold::Count) ++phases[i];
    if (node.kind == NodeKind::Grad) phases[i] = first_phase_of_gradient(graph, node, phases);
  }
  return phases;
}

namespace {

/// Of the first `count` regrads.
std::vector<std::uint32_t> regrad_phases(const Graph& graph, std::size_t count,
                                         const std::vector<std::uint32_t>& phases) {
  std::vector<std::uint32_t> result;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [condition, param, gradient] = graph.regrads[i];
    const std::uint32_t known = std::max(phases[condition.index], phases[param.index]);
    result.push_back(i == 0 ? known : std::max(known, result.back() + 1));
  }
  return result;
}

}  // namespace

std::vector<std::uint32_t> find_regrad_phases(const Graph& graph,
                                              const std::vector<std::uint32_t>& phases) {
  return regrad_phases(graph, graph.regrads.size(), phases);
}

std::uint32_t first_phase_of_gradient(const Graph& graph, const Node& gradient,
                                      const std::vector<std::uint32_t>& phases) {
  return gradient.index == 0 ? 0 : regrad_phases(graph, gradient.index, phases).back() + 1;
}

std::vector<NodeId> find_reductions(const Graph& graph) {
  std::vector<NodeId> reductions;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].kind == NodeKind::Reduce) reductions.emplace_back(i);
  return reductions;
}

NodeId domain_of(const Node& reduction) {
  return reduction.operands[static_cast<std::size_t>(reduction.operand_count() - 1)];
}

std::vector<NodeId> find_domains(const Graph& graph) {
  std::vector<NodeId> domains;
  for (const NodeId id : find_reductions(graph)) {
    const NodeId domain = domain_of(graph[id]);
    const bool is_all = graph[domain].kind == NodeKind::Constant && graph[domain].value != 0;
    if (!is_all && std::ranges::find(domains, domain) == domains.end()) domains.push_back(domain);
  }
  return domains;
}

}  // namespace talweg::ir
