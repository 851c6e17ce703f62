// A regrad has a Bool of rate up to model, an Array for param, and behind both its gradient.
// Gradients stand in order. Where that Array is not Param itself, the graph stores param.
#include "compiler/ir/verify_regrads.h"

#include <fmt/format.h>

#include <algorithm>

namespace talweg::ir {

namespace {

void check(const Graph& graph, std::uint32_t number, std::vector<Fault>& faults) {
  const auto& [condition, param, gradient] = graph.regrads[number - 1];
  for (const NodeId id : {condition, param, gradient})
    if (id.index >= graph.nodes.size())
      return faults.push_back(
          {{}, fmt::format("regrad {} has a node that does not exist", number)});
  const Node& decides = graph[condition];
  if (decides.type != ValueType::Bool || !types::fits(decides.rate, Rate::Model))
    faults.push_back(
        {condition, fmt::format("regrad {} is decided by no bool of rate model", number)});
  if (graph[param].type != ValueType::Array)
    faults.push_back({param, fmt::format("regrad {} leaves no array in param", number)});
  if (graph[gradient].kind != NodeKind::Grad || graph[gradient].index != number)
    faults.push_back(
        {gradient, fmt::format("%{} is not the gradient of regrad {}", gradient.index, number)});
  if (gradient < condition || gradient < param)
    faults.push_back(
        {gradient, fmt::format("%{} stands before what regrad {} needs", gradient.index, number)});
}

void check_order(const Graph& graph, std::vector<Fault>& faults) {
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].kind != NodeKind::Grad) continue;
    if (graph.nodes[i].index < last)
      faults.push_back({NodeId(i), fmt::format("%{} stands behind a later gradient", i)});
    last = graph.nodes[i].index;
  }
}

}  // namespace

void find_regrad_faults(const Graph& graph, std::vector<Fault>& faults) {
  if (graph.regrads.size() >= kMaxGradients) faults.push_back({{}, "a step has too many regrads"});
  const std::size_t before = faults.size();
  for (std::uint32_t i = 1; i <= graph.regrads.size(); ++i) check(graph, i, faults);
  if (faults.size() > before) return;
  check_order(graph, faults);
  const bool moves = std::ranges::any_of(graph.regrads, [&](const Regrad& regrad) {
    return graph[regrad.param].kind != NodeKind::Param;
  });
  const bool stores = std::ranges::any_of(
      graph.stores, [](const Store& store) { return store.target == StoreTarget::Param; });
  if (moves && !stores) faults.push_back({{}, "a regrad moves param, which is not stored"});
}

}  // namespace talweg::ir
