// From a graph to its phases: what is folded, who does what, the loops of every pass, and the
// scalar code that they need.
#include "compiler/plan/plan.h"

#include <algorithm>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/ir/make_node.h"
#include "compiler/passes/passes.h"
#include "compiler/plan/aliases.h"
#include "compiler/plan/partials.h"
#include "compiler/plan/routes.h"
#include "compiler/plan/scalars.h"
#include "compiler/plan/schedule.h"
#include "compiler/plan/versions.h"

namespace talweg::plan {

using ir::Rate;

Traffic traffic_of(const Plan& plan, const ElementPass& pass, const LoopVersion& version) {
  Traffic traffic;
  for (std::uint32_t i = 0; i < pass.streams.size(); ++i) {
    traffic.reads.push_back(std::ranges::find(version.loads, i, &StreamLoad::stream) !=
                            version.loads.end());
    traffic.writes.push_back(std::ranges::find(version.stores, i, &StreamStore::stream) !=
                             version.stores.end());
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

Level level_of(ir::Rate rate) {
  switch (rate) {
    case Rate::Const:
    case Rate::Model:
      return Level::Model;
    case Rate::Group:
      return Level::Group;
    case Rate::Tensor:
      return Level::Tensor;
    case Rate::Matrix:
      return Level::Matrix;
    case Rate::Row:
      return Level::Row;
    case Rate::Col:
      return Level::Col;
    case Rate::Element:
      break;
  }
  TALWEG_UNREACHABLE("elements are computed by passes");
}

PartialKind kind_left_by(Level level) {
  switch (level) {
    case Level::Group:
      return PartialKind::Group;
    case Level::Tensor:
      return PartialKind::Tensor;
    case Level::Matrix:
      return PartialKind::Matrix;
    case Level::Row:
      return PartialKind::Row;
    case Level::Col:
      return PartialKind::Col;
    case Level::Model:
      break;
  }
  TALWEG_UNREACHABLE("there is one model: nothing folds its values");
}

namespace {

template <class Visit>
void visit_passes(const Plan& plan, Visit visit) {
  for (const Phase& phase : plan.phases)
    for (const auto* pass : {&phase.lines, &phase.pass})
      if (*pass) visit(**pass);
}

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

void add_phases(Plan& plan, const Aliases& aliases, const Schedule& schedule) {
  const std::vector<Stream> streams = make_streams(plan.graph, schedule.saved.size());
  plan.phases.resize(schedule.phase_count);
  Resolver resolve(plan, aliases);
  bool has_pass = false;
  for (std::uint32_t i = 0; i < schedule.phase_count; ++i) {
    const auto fill = [&](std::optional<ElementPass>& place, const PassWork& work) {
      ElementPass& pass = place.emplace();
      pass.streams = streams;
      pass.versions = make_versions({plan, streams, work}, aliases, resolve);
      count_traffic(plan, pass);
    };
    const PassWork lines = line_work_of(plan, streams, schedule, i);
    if (!lines.folds.empty()) fill(plan.phases[i].lines, lines);
    const PassWork work = work_of(plan, streams, schedule, i);
    // States get their initial values in some pass, even where no other needs one.
    const bool is_last_chance = i + 1 == schedule.phase_count && !has_pass;
    if (work.folds.empty() && work.stores.empty() && !is_last_chance) continue;
    fill(plan.phases[i].pass, work);
    has_pass = true;
  }
}

/// Views and initial values find their streams in a table of pointers with rows as wide as a
/// step's.
void widen_rows(Plan& value, std::size_t scratch_count) {
  value.scratch.resize(scratch_count);
  for (Phase& phase : value.phases)
    for (auto* pass : {&phase.lines, &phase.pass})
      for (std::uint32_t i = 0; i < scratch_count && *pass; ++i)
        (*pass)->streams.push_back({.kind = StreamKind::Scratch, .index = i});
}

}  // namespace

/// A tensor keeps what its stages declare; where there are arms to choose from, what the loops of
/// its route touch.
std::vector<std::uint32_t> state_bytes_by_route(const Plan& plan) {
  std::vector<std::uint32_t> result;
  const std::vector<Stream> streams = make_streams(plan.graph, plan.scratch.size());
  for (std::uint32_t route = 0; route < plan.routes.size(); ++route) {
    std::vector<bool> kept(streams.size(), plan.routes[route].conditions.empty());
    visit_passes(plan, [&](const ElementPass& pass) {
      for (const LoopVersion& version : pass.versions) {
        if (version.route != route) continue;
        const Traffic traffic = traffic_of(plan, pass, version);
        for (std::size_t i = 0; i < kept.size(); ++i)
          kept[i] = kept[i] || traffic.reads[i] || traffic.writes[i];
      }
    });
    std::uint32_t states = 0;
    for (std::size_t i = 0; i < kept.size(); ++i)
      states += kept[i] && streams[i].kind == StreamKind::State ? 1 : 0;
    result.push_back(states * static_cast<std::uint32_t>(types::size_bytes(plan.compute)));
  }
  return result;
}

std::size_t stream_count(const Plan& plan) {
  return make_streams(plan.graph, plan.scratch.size()).size();
}

Bytes bytes_per_element(const Plan& plan) {
  Bytes bytes;
  visit_passes(plan, [&](const ElementPass& pass) {
    bytes.read += pass.read_bytes_per_element;
    bytes.written += pass.written_bytes_per_element;
  });
  return bytes;
}

namespace {

/// Of a step, a view or an initial value.
Plan plan_of(ir::Graph graph, types::ComputeType compute, Scratch scratch) {
  Plan plan;
  plan.graph = std::move(graph);
  plan.compute = compute;
  // What a step that waits can be put back to, even where nothing reads it.
  if (!plan.graph.regrads.empty() && std::ranges::find(plan.graph.nodes, ir::NodeKind::Param,
                                                       &ir::Node::kind) == plan.graph.nodes.end())
    plan.graph.add(ir::make_leaf(ir::NodeKind::Param));
  find_partials(plan);
  const Aliases aliases(plan.graph, compute);
  plan.routes = make_routes(plan, aliases);
  Schedule schedule = make_schedule(plan, aliases, scratch);
  for (std::size_t i = 0; i < plan.reductions.size(); ++i)
    plan.reductions[i].phase = schedule.node_phases[plan.reductions[i].node.index];
  for (const Schedule::Saved& saved : schedule.saved) plan.scratch.push_back(saved.node);
  plan.end_phase = schedule.end_phase;
  plan.regrad_phases = schedule.regrad_phases;
  plan.origin = schedule.origin;
  add_phases(plan, aliases, schedule);
  plan.node_phases = std::move(schedule.node_phases);
  plan.state_bytes_per_element = std::ranges::max(state_bytes_by_route(plan));
  place_scalars(plan);
  return plan;
}

}  // namespace

Plan make_plan(const ir::Graph& graph, types::ComputeType compute) {
  Plan plan = plan_of(passes::step_alone(graph), compute, Scratch::WhereItSaves);
  // Views are read now and then, and states begin once: neither is worth scratch all the time.
  const auto plan_beside = [&](const ir::Graph& step) {
    Plan beside = plan_of(passes::drop_dead_nodes(step), compute, Scratch::Never);
    widen_rows(beside, plan.scratch.size());
    return beside;
  };
  for (std::size_t i = 0; i < graph.views.size(); ++i)
    plan.views.push_back(plan_beside(ir::view_step(graph, i)));
  for (std::size_t i = 0; i < graph.states.size(); ++i) {
    if (!ir::computes_initial(graph, graph.states[i])) continue;
    plan.initials.resize(graph.states.size());
    plan.initials[i] = plan_beside(ir::initial_step(graph, i));
  }
  return plan;
}

}  // namespace talweg::plan
