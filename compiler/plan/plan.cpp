// One pass over all elements, its streams and versions, and the scalar code it needs.
#include "compiler/plan/plan.h"

#include <algorithm>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/plan/scalars.h"
#include "compiler/plan/versions.h"

namespace talweg::plan {

using ir::NodeKind;
using ir::Rate;

namespace {

/// Reductions, and with them what differs by matrix, row and column, come later; sema refuses them.
void check_rates(const ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes)
    TALWEG_CHECK(node.rate == Rate::Element || types::fits(node.rate, Rate::Tensor),
                 "a plan has scalars per model and group, facts of tensors, and elements");
}

std::vector<Stream> make_streams(const ir::Graph& graph) {
  std::vector<Stream> streams = {{.kind = StreamKind::Param}, {.kind = StreamKind::Grad}};
  for (std::uint32_t i = 0; i < graph.states.size(); ++i)
    if (graph.states[i].rate == Rate::Element)
      streams.push_back({.kind = StreamKind::State, .index = i});
  for (std::uint32_t i = 0; i < graph.inputs.size(); ++i)
    if (graph.inputs[i].rate == Rate::Element)
      streams.push_back({.kind = StreamKind::Input, .index = i});
  return streams;
}

bool loads(const ir::Node& node, const Stream& stream) {
  switch (stream.kind) {
    case StreamKind::Param:
      return node.kind == NodeKind::Param;
    case StreamKind::Grad:
      return node.kind == NodeKind::Grad;
    case StreamKind::State:
      return node.kind == NodeKind::State && node.index == stream.index;
    case StreamKind::Input:
      return node.kind == NodeKind::Input && node.index == stream.index;
  }
  TALWEG_UNREACHABLE("a stream of an unknown kind");
}

}  // namespace

Traffic traffic_of(const Plan& plan, const ElementPass& pass, const LoopVersion& version) {
  Traffic traffic;
  for (std::uint32_t i = 0; i < pass.streams.size(); ++i) {
    traffic.reads.push_back(
        std::any_of(version.nodes.begin(), version.nodes.end(),
                    [&](ir::NodeId id) { return loads(plan.graph[id], pass.streams[i]); }));
    traffic.writes.push_back(
        std::any_of(version.stores.begin(), version.stores.end(),
                    [&](const StreamStore& store) { return store.stream == i; }));
  }
  const auto bytes = [&](const std::vector<bool>& touched) {
    const auto count = std::count(touched.begin(), touched.end(), true);
    return static_cast<std::uint32_t>(count) *
           static_cast<std::uint32_t>(types::size_bytes(plan.compute));
  };
  traffic.read_bytes = bytes(traffic.reads);
  traffic.written_bytes = bytes(traffic.writes);
  return traffic;
}

namespace {

void count_traffic(const Plan& plan, ElementPass& pass) {
  for (const LoopVersion& version : pass.versions) {
    const Traffic traffic = traffic_of(plan, pass, version);
    for (std::uint32_t i = 0; i < pass.streams.size(); ++i) {
      pass.streams[i].is_read = pass.streams[i].is_read || traffic.reads[i];
      pass.streams[i].is_written = pass.streams[i].is_written || traffic.writes[i];
    }
    if (traffic.read_bytes + traffic.written_bytes >
        pass.read_bytes_per_element + pass.written_bytes_per_element) {
      pass.read_bytes_per_element = traffic.read_bytes;
      pass.written_bytes_per_element = traffic.written_bytes;
    }
  }
}

}  // namespace

/// A tensor keeps what its stages declare; where there are arms to choose from, what the loops of
/// its route touch.
std::vector<std::uint32_t> state_bytes_by_route(const Plan& plan, const ElementPass& pass) {
  std::vector<std::uint32_t> result;
  for (std::uint32_t route = 0; route < pass.routes.size(); ++route) {
    std::vector<bool> kept(pass.streams.size(), pass.routes.size() == 1);
    for (const LoopVersion& version : pass.versions) {
      if (version.route != route) continue;
      const Traffic traffic = traffic_of(plan, pass, version);
      for (std::size_t i = 0; i < kept.size(); ++i)
        kept[i] = kept[i] || traffic.reads[i] || traffic.writes[i];
    }
    std::uint32_t states = 0;
    for (std::size_t i = 0; i < kept.size(); ++i)
      states += kept[i] && pass.streams[i].kind == StreamKind::State ? 1 : 0;
    result.push_back(states * static_cast<std::uint32_t>(types::size_bytes(plan.compute)));
  }
  return result;
}

Plan make_plan(ir::Graph graph, types::ComputeType compute) {
  check_rates(graph);
  Plan plan;
  for (std::size_t i = 0; i < graph.views.size(); ++i)
    plan.views.push_back(make_plan(ir::view_step(graph, i), compute));
  for (std::size_t i = 0; i < graph.states.size(); ++i) {
    if (!ir::computes_initial_elements(graph, graph.states[i])) continue;
    plan.initials.resize(graph.states.size());
    plan.initials[i] = make_plan(ir::initial_step(graph, i), compute);
  }
  plan.graph = std::move(graph);
  plan.compute = compute;
  ElementPass pass;
  pass.streams = make_streams(plan.graph);
  RoutesAndVersions made = make_versions(plan.graph, compute, pass.streams);
  pass.routes = std::move(made.routes);
  pass.versions = std::move(made.versions);
  count_traffic(plan, pass);
  plan.state_bytes_per_element = std::ranges::max(state_bytes_by_route(plan, pass));
  plan.passes.push_back(std::move(pass));
  place_scalars(plan);
  return plan;
}

}  // namespace talweg::plan
