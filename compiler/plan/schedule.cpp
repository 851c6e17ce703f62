#include "compiler/plan/schedule.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "compiler/base/check.h"
#include "compiler/ir/phases.h"
#include "compiler/plan/call_ways.h"

namespace talweg::plan {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;

std::vector<Stream> make_streams(const ir::Graph& graph, std::size_t scratch_count) {
  std::vector<Stream> streams = {{.kind = StreamKind::Param}, {.kind = StreamKind::Grad}};
  for (std::uint32_t i = 0; i < graph.states.size(); ++i)
    if (graph.states[i].rate == ir::Rate::Element)
      streams.push_back({.kind = StreamKind::State, .index = i});
  for (std::uint32_t i = 0; i < graph.inputs.size(); ++i)
    if (graph.inputs[i].rate == ir::Rate::Element)
      streams.push_back({.kind = StreamKind::Input, .index = i});
  for (std::uint32_t i = 0; i < scratch_count; ++i)
    streams.push_back({.kind = StreamKind::Scratch, .index = i});
  return streams;
}

namespace {

/// The stream that a store writes; nothing for a scalar state.
std::optional<std::uint32_t> stream_of(const ir::Graph& graph, const std::vector<Stream>& streams,
                                       const ir::Store& store) {
  const bool to_param = store.target == ir::StoreTarget::Param;
  if (!to_param && graph.states[store.index].rate != ir::Rate::Element) return std::nullopt;
  const StreamKind kind = to_param ? StreamKind::Param : StreamKind::State;
  const auto found = std::ranges::find_if(streams, [&](const Stream& stream) {
    return stream.kind == kind && stream.index == store.index;
  });
  TALWEG_CHECK(found != streams.end(), "a store without a stream");
  return static_cast<std::uint32_t>(found - streams.begin());
}

/// The phase whose pass leaves a partial: before the first reduction that folds it is known.
std::uint32_t phase_of_partial(const Plan& plan, const Schedule& schedule, PartialKind kind,
                               std::uint32_t partial) {
  std::uint32_t first = UINT32_MAX;
  for (std::size_t i = 0; i < plan.reductions.size(); ++i)
    if (plan.reductions[i].kind == kind && plan.reductions[i].partial == partial &&
        plan.graph[plan.reductions[i].node].fold != builtins::Fold::Count)
      first = std::min(first, schedule.reduction_phases[i] - 1);
  return first;
}

void add_folds(const Plan& plan, const Schedule& schedule, PartialKind kind, std::uint32_t phase,
               PassWork& work) {
  for (std::uint32_t i = 0; i < plan.partials_of(kind).size(); ++i)
    if (phase_of_partial(plan, schedule, kind, i) == phase) work.folds.push_back({kind, i});
}

/// Calls visit(stream, value, writer) for all that passes leave in places and scratch, what they
/// leave in the same one in order.
template <class Visit>
void visit_left(const Plan& plan, const std::vector<Stream>& streams, const Schedule& schedule,
                Visit visit) {
  for (std::size_t i = 0; i < plan.graph.regrads.size(); ++i)
    visit(kParamStream, plan.graph.regrads[i].param, schedule.regrad_phases[i]);
  for (std::size_t i = 0; i < plan.graph.stores.size(); ++i) {
    const ir::Store& store = plan.graph.stores[i];
    if (const auto stream = stream_of(plan.graph, streams, store))
      visit(*stream, store.value, schedule.store_passes[i]);
  }
  const std::size_t first_scratch = streams.size() - schedule.saved.size();
  for (std::size_t i = 0; i < schedule.saved.size(); ++i)
    visit(static_cast<std::uint32_t>(first_scratch + i), schedule.saved[i].node,
          schedule.saved[i].pass);
}

/// What places and scratch hold before a pass, where something has changed it.
void add_loads(const Plan& plan, const std::vector<Stream>& streams, const Schedule& schedule,
               std::uint32_t phase, PassWork& work) {
  const auto hold = [&](std::uint32_t stream, NodeId value) {
    const auto before = std::ranges::find(work.loads, stream, &StreamLoad::stream);
    if (before == work.loads.end())
      work.loads.push_back({stream, value});
    else
      before->node = value;
  };
  visit_left(plan, streams, schedule,
             [&](std::uint32_t stream, NodeId value, std::uint32_t writer) {
               if (writer < phase) hold(stream, value);
             });
  for (std::size_t i = 0; i < plan.graph.regrads.size(); ++i)
    if (schedule.regrad_phases[i] < phase) hold(kGradStream, plan.graph.regrads[i].gradient);
  const std::size_t first_scratch = streams.size() - schedule.saved.size();
  if (schedule.origin) work.origin = static_cast<std::uint32_t>(first_scratch + *schedule.origin);
}

/// What may be asked before a pass.
void add_known(const Plan& plan, const Schedule& schedule, std::uint32_t phase, PassWork& work) {
  work.ends_are_known = phase >= schedule.end_phase;
  const auto behind = std::ranges::upper_bound(schedule.regrad_phases, phase);
  work.regrads_come_to = static_cast<std::size_t>(behind - schedule.regrad_phases.begin());
  for (std::size_t i = 0; i < plan.graph.nodes.size(); ++i) {
    const Node& node = plan.graph.nodes[i];
    const bool is_condition = node.type == ir::ValueType::Bool && node.kind != NodeKind::IsNormal &&
                              types::fits(node.rate, ir::Rate::Tensor);
    work.known.push_back(is_condition && schedule.node_phases[i] <= phase);
  }
}

}  // namespace

PassWork work_of(const Plan& plan, const std::vector<Stream>& streams, const Schedule& schedule,
                 std::uint32_t phase) {
  PassWork work;
  add_folds(plan, schedule, PartialKind::Chunk, phase, work);
  visit_left(plan, streams, schedule,
             [&](std::uint32_t stream, NodeId value, std::uint32_t writer) {
               if (writer == phase) work.stores.push_back({stream, value});
             });
  add_loads(plan, streams, schedule, phase, work);
  add_known(plan, schedule, phase, work);
  return work;
}

PassWork line_work_of(const Plan& plan, const std::vector<Stream>& streams,
                      const Schedule& schedule, std::uint32_t phase) {
  PassWork work;
  add_folds(plan, schedule, PartialKind::LineRow, phase, work);
  add_folds(plan, schedule, PartialKind::LineBlock, phase, work);
  add_loads(plan, streams, schedule, phase, work);
  add_known(plan, schedule, phase, work);
  return work;
}

namespace {

class Scheduler {
 public:
  Scheduler(const Plan& plan, const Aliases& aliases, Scratch scratch)
      : plan_(plan), graph_(plan.graph), resolve_(plan, aliases), scratch_(scratch) {}

  Schedule run() {
    Schedule first = as_early_as_possible();
    if (first.phase_count == 1) return first;
    find_choices(first);
    best_ = first;
    best_cost_ = *cost_of(best_);
    try_choices(first);
    if (scratch_ == Scratch::Never) return best_;
    while (try_scratch() || try_without_scratch(best_)) {
    }
    return best_;
  }

 private:
  /// Bytes; then fewer scratch streams; then stores that are not in the last pass.
  using Cost = std::tuple<std::uint64_t, std::size_t, std::uint32_t>;
  /// A number of the schedule that may be chosen, and its values.
  struct Choice {
    bool is_store = false;
    std::size_t index = 0;
    std::vector<std::uint32_t> values;
  };
  static constexpr std::size_t kMostSchedules = 400;
  static constexpr std::size_t kMostScratch = 4;  // that need not be
  static constexpr std::size_t kMostCandidates = 60;
  static constexpr std::uint64_t kWordWeight = 1 << 16;

  /// Every reduction known as early as it can be, every store in the last pass; where the step
  /// waits for gradients, param and the gradients before are saved.
  Schedule as_early_as_possible() {
    const std::vector<std::uint32_t> phases = ir::find_phases(graph_);
    Schedule schedule;
    for (const PlannedReduction& reduction : plan_.reductions)
      schedule.reduction_phases.push_back(phases[reduction.node.index]);
    for (const std::uint32_t phase : phases)
      schedule.phase_count = std::max(schedule.phase_count, phase + 1);
    schedule.store_passes.assign(graph_.stores.size(), schedule.phase_count - 1);
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const bool is_origin = node.kind == NodeKind::Param && moves_param();
      if (is_origin) schedule.origin = static_cast<std::uint32_t>(schedule.saved.size());
      if (is_origin || (node.kind == NodeKind::Grad && node.index < graph_.regrads.size()))
        schedule.saved.push_back({NodeId(i), 0, is_origin ? 0 : node.index});
    }
    TALWEG_CHECK(derive(schedule), "the plain schedule is possible");
    return schedule;
  }

  [[nodiscard]] bool moves_param() const {
    return std::ranges::any_of(graph_.regrads, [&](const ir::Regrad& regrad) {
      return graph_[regrad.param].kind != NodeKind::Param;
    });
  }

  /// Phases of nodes, of the call's end and of regrads; false if a reduction would not be known
  /// where it is to be, or a value too late.
  bool derive(Schedule& schedule) const {
    schedule.node_phases.assign(graph_.nodes.size(), 0);
    std::size_t reduction = 0;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      std::uint32_t phase = 0;
      for (int k = 0; k < node.operand_count(); ++k)
        phase =
            std::max(phase, schedule.node_phases[node.operands[static_cast<std::size_t>(k)].index]);
      if (node.kind == NodeKind::Reduce) {
        const std::uint32_t known = schedule.reduction_phases[reduction++];
        if (node.fold != builtins::Fold::Count && known <= phase) return false;
        phase = std::max(phase, known);
      }
      if (node.kind == NodeKind::Grad)
        phase = ir::first_phase_of_gradient(graph_, node, schedule.node_phases);
      if (phase >= schedule.phase_count) return false;
      schedule.node_phases[i] = phase;
    }
    schedule.end_phase = 0;
    const auto ends_at = [&](NodeId id) {
      if (id.valid())
        schedule.end_phase = std::max(schedule.end_phase, schedule.node_phases[id.index]);
    };
    ends_at(graph_.skipped);
    ends_at(graph_.held);
    for (const ir::StateInfo& state : graph_.states) ends_at(state.kept);
    schedule.regrad_phases = ir::find_regrad_phases(graph_, schedule.node_phases);
    for (Schedule::Saved& saved : schedule.saved)
      if (saved.regrad) saved.pass = schedule.regrad_phases[*saved.regrad];
    return true;
  }

  /// Before this pass nothing may be stored: the step can still be refused. (How the call ends is
  /// no reason to wait: what a store leaves depends on that, and is known so late, or does not.)
  [[nodiscard]] std::uint32_t first_store_pass(const Schedule& schedule) const {
    std::uint32_t first = schedule.regrad_phases.empty() ? 0 : schedule.regrad_phases.back() + 1;
    for (const ir::HyperInfo& hyper : graph_.hypers)
      if (hyper.bound.valid()) first = std::max(first, binding_phase(hyper, schedule.node_phases));
    return first;
  }

  [[nodiscard]] bool is_element_store(const ir::Store& store) const {
    return store.target == ir::StoreTarget::Param ||
           graph_.states[store.index].rate == ir::Rate::Element;
  }

  void find_choices(const Schedule& first) {
    const auto range = [](std::uint32_t from, std::uint32_t to) {
      std::vector<std::uint32_t> values;
      for (std::uint32_t i = from; i <= to; ++i) values.push_back(i);
      return values;
    };
    const std::uint32_t last = first.phase_count - 1;
    for (std::size_t i = 0; i < graph_.stores.size(); ++i) {
      const std::uint32_t known = first.node_phases[graph_.stores[i].value.index];
      if (is_element_store(graph_.stores[i]) && known < last)
        choices_.push_back({true, i, range(known, last)});
    }
    for (std::size_t i = 0; i < plan_.reductions.size(); ++i) {
      const Node& node = graph_[plan_.reductions[i].node];
      if (node.over == ir::Rate::Element && node.fold != builtins::Fold::Count &&
          first.reduction_phases[i] < last)
        choices_.push_back({false, i, range(first.reduction_phases[i], last)});
    }
  }

  static std::uint32_t& chosen(Schedule& schedule, const Choice& choice) {
    return choice.is_store ? schedule.store_passes[choice.index]
                           : schedule.reduction_phases[choice.index];
  }

  void consider(Schedule schedule) {
    if (!derive(schedule)) return;
    const std::optional<Cost> cost = cost_of(schedule);
    if (!cost || *cost >= best_cost_) return;
    best_cost_ = *cost;
    best_ = std::move(schedule);
  }

  /// All of them where they are few; else better and better by changing one or two at a time.
  void try_choices(const Schedule& first) {
    std::size_t count = 1;
    for (const Choice& choice : choices_) {
      count *= choice.values.size();
      if (count > kMostSchedules) return improve();
    }
    try_all(first, 0);
  }

  void try_all(Schedule schedule, std::size_t depth) {
    if (depth == choices_.size()) return consider(std::move(schedule));
    for (const std::uint32_t value : choices_[depth].values) {
      chosen(schedule, choices_[depth]) = value;
      try_all(schedule, depth + 1);
    }
  }

  void improve() {
    // Every state written as soon as it is known is where many rules are best.
    Schedule soon = best_;
    for (const Choice& choice : choices_)
      if (choice.is_store) chosen(soon, choice) = choice.values.front();
    consider(soon);
    for (Cost before = best_cost_;; before = best_cost_) {
      for (std::size_t i = 0; i < choices_.size(); ++i)
        for (const std::uint32_t value : choices_[i].values) {
          Schedule one = best_;
          chosen(one, choices_[i]) = value;
          consider(one);
          const std::size_t next = (i + 1) % choices_.size();
          for (const std::uint32_t other : choices_[next].values) {
            Schedule two = one;
            chosen(two, choices_[next]) = other;
            consider(two);
          }
        }
      if (best_cost_ == before) return;
    }
  }

  /// Values that more than one pass computes.
  [[nodiscard]] std::vector<Schedule::Saved> scratch_candidates() {
    std::vector<Schedule::Saved> candidates;
    const std::vector<Stream> streams = make_streams(graph_, best_.saved.size());
    std::vector<std::uint32_t> computed_in(graph_.nodes.size(), UINT32_MAX);
    for (std::uint32_t phase = 0; phase < best_.phase_count; ++phase) {
      const PassWork work = work_of(plan_, streams, best_, phase);
      for_each_way(streams, work, [&](const CallWays::Part& way) {
        for (const NodeId id : way.version.nodes) {
          std::uint32_t& first = computed_in[id.index];
          if (first != UINT32_MAX && first < phase && graph_[id].operand_count() > 0 &&
              graph_[id].type == ir::ValueType::Array)
            candidates.push_back({id, first, {}});
          first = std::min(first, phase);
        }
      });
    }
    const auto same = [](const Schedule::Saved& x, const Schedule::Saved& y) {
      return x.node == y.node;
    };
    std::ranges::stable_sort(candidates, {}, &Schedule::Saved::node);
    candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
    // The last ones are made of the others, and replace them.
    if (candidates.size() > kMostCandidates)
      candidates.erase(candidates.begin(), candidates.end() - kMostCandidates);
    return candidates;
  }

  /// Adds the scratch stream that saves most; false if none does.
  bool try_scratch() {
    if (best_.saved.size() >= kMostScratch + graph_.regrads.size()) return false;
    const Cost before = best_cost_;
    const Schedule base = best_;
    for (const Schedule::Saved& candidate : scratch_candidates()) {
      Schedule with = base;
      with.saved.push_back(candidate);
      consider(with);
      for (const Choice& choice : choices_)
        if (choice.is_store) chosen(with, choice) = choice.values.back();
      consider(with);
      try_without_scratch(with);
    }
    return best_cost_ < before;
  }

  /// The same with one of its scratch streams less. True if that is the best so far.
  bool try_without_scratch(const Schedule& schedule) {
    const Cost before = best_cost_;
    for (std::uint32_t i = 0; i < schedule.saved.size(); ++i) {
      if (i == schedule.origin) continue;
      Schedule without = schedule;
      without.saved.erase(without.saved.begin() + i);
      if (without.origin && *without.origin > i) --*without.origin;
      consider(std::move(without));
    }
    return best_cost_ < before;
  }

  /// Of every route.
  template <class Visit>
  void for_each_way(const std::vector<Stream>& streams, const PassWork& work, Visit visit) {
    for (std::uint32_t route = 0; route < plan_.routes.size(); ++route)
      for (const CallWays::Part& part :
           find_call_ways({plan_, streams, work}, route, resolve_).parts)
        if (!part.asks.valid()) visit(part);
  }

  /// Nothing where a store comes too early. Counted are the calls that go on, on every route; of
  /// those that differ by the gradients for which the step has waited, the mean.
  [[nodiscard]] std::optional<Cost> cost_of(const Schedule& schedule) {
    const std::uint32_t first_store = first_store_pass(schedule);
    std::uint32_t early_stores = 0;
    for (std::size_t i = 0; i < graph_.stores.size(); ++i) {
      if (!is_element_store(graph_.stores[i])) continue;
      const std::uint32_t pass = schedule.store_passes[i];
      if (pass < first_store || pass < schedule.node_phases[graph_.stores[i].value.index])
        return std::nullopt;
      early_stores += schedule.phase_count - 1 - pass;
    }
    for (const Schedule::Saved& saved : schedule.saved)
      if (saved.pass < schedule.node_phases[saved.node.index]) return std::nullopt;
    const std::vector<Stream> streams = make_streams(graph_, schedule.saved.size());
    std::uint64_t words = 0;
    bool is_possible = true;
    for (std::uint32_t phase = 0; phase < schedule.phase_count; ++phase)
      for (const PassWork& work : {line_work_of(plan_, streams, schedule, phase),
                                   work_of(plan_, streams, schedule, phase)})
        for_each_way(streams, work, [&](const CallWays::Part& way) {
          is_possible = is_possible && way.is_possible;
          if (way.goes_on) words += (kWordWeight >> way.regrads) * words_of(way.version);
        });
    if (!is_possible) return std::nullopt;
    return Cost{words, schedule.saved.size(), early_stores};
  }

  static std::uint64_t words_of(const LoopVersion& version) {
    std::vector<std::uint32_t> read;
    for (const StreamLoad& load : version.loads) read.push_back(load.stream);
    std::ranges::sort(read);
    const auto repeated = std::ranges::unique(read);
    return read.size() - repeated.size() + version.stores.size();
  }

  const Plan& plan_;
  const ir::Graph& graph_;
  Resolver resolve_;
  const Scratch scratch_;
  std::vector<Choice> choices_;
  Schedule best_;
  Cost best_cost_;
};

}  // namespace

std::uint32_t binding_phase(const ir::HyperInfo& hyper,
                            const std::vector<std::uint32_t>& node_phases) {
  const std::uint32_t bound = node_phases[hyper.bound.index];
  return hyper.unless.valid() ? std::max(bound, node_phases[hyper.unless.index]) : bound;
}

Schedule make_schedule(const Plan& plan, const Aliases& aliases, Scratch scratch) {
  return Scheduler(plan, aliases, scratch).run();
}

}  // namespace talweg::plan
