// Scalar conditions come in two kinds. Guards of divisions (is_normal of a rounded reciprocal)
// nearly always hold, so the versions made for speed assume that all do. Conditions of the rule (`t
// % 5 == 0`) go both ways; where there are few, there is a version for each outcome, and what an
// outcome leaves unread or unchanged costs nothing. Above all stands how the call ends: a skipped
// or held one always has versions of its own, so it touches what it changes and nothing else. A
// last version assumes nothing more than that the call goes on, and is right whatever else holds.
//
// Conditions on facts of the tensor (the arms of `when`, `if rank >= 2`) are not left open: each
// combination that can matter is a route, with versions of its own that touch only what its tensors
// keep.
#include "compiler/plan/versions.h"

#include <algorithm>
#include <optional>
#include <set>

#include "compiler/base/check.h"
#include "compiler/ir/phases.h"
#include "compiler/plan/outcomes.h"
#include "compiler/plan/schedule.h"

namespace talweg::plan {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

namespace {

/// How many of a node's first operands decide what it is.
int condition_count(const Node& node) {
  if (node.kind != NodeKind::Apply) return 0;
  if (node.op == Op::Select) return 1;
  return node.op == Op::And || node.op == Op::Or ? 2 : 0;
}

bool assumes(std::span<const Assumption> assumptions, NodeId condition) {
  return std::ranges::any_of(
      assumptions, [&](const Assumption& assumption) { return assumption.condition == condition; });
}

// ---- Routes ----

class RouteMaker {
  static constexpr PartialKind kElementKinds[] = {PartialKind::Chunk, PartialKind::LineRow,
                                                  PartialKind::LineBlock};

 public:
  RouteMaker(const Plan& plan, const Aliases& aliases)
      : plan_(plan),
        graph_(plan.graph),
        aliases_(aliases),
        streams_(make_streams(graph_, 0)),
        needs_reductions_(find_dependents_of_reductions(graph_)) {
    for (const PartialKind kind : kElementKinds)
      for (std::uint32_t i = 0; i < plan.partials_of(kind).size(); ++i)
        work_.folds.push_back({kind, i});
    for (const ir::Store& store : graph_.stores)
      for (std::uint32_t i = 0; i < streams_.size(); ++i)
        if (writes(store, streams_[i])) work_.stores.push_back({i, store.value});
    for (const ir::Regrad& regrad : graph_.regrads)
      work_.stores.push_back({kParamStream, regrad.param});
  }

  std::vector<Route> run() && {
    add({});
    return std::move(routes_);
  }

 private:
  static bool writes(const ir::Store& store, const Stream& stream) {
    const bool to_param = store.target == ir::StoreTarget::Param;
    return stream.kind == (to_param ? StreamKind::Param : StreamKind::State) &&
           stream.index == store.index;
  }

  /// The routes on which `conditions` hold; none that no tensor can take.
  void add(const std::vector<Assumption>& conditions) {
    route_ = conditions;
    resolved_ = aliases_.resolve(conditions, {});
    const std::optional<NodeId> open = open_condition();
    if (!open || routes_.size() + pending_ + 2 > kMaxRoutes) {
      routes_.push_back({conditions});
      return;
    }
    std::vector<std::vector<Assumption>> ways;
    for (const bool holds : {true, false}) {
      std::vector<Assumption> more = conditions;
      more.push_back({.condition = *open, .holds = holds});
      if (may_hold(graph_, more)) ways.push_back(std::move(more));
    }
    pending_ += ways.size();
    for (const std::vector<Assumption>& way : ways) {
      --pending_;
      add(way);
    }
  }

  /// A bool over facts that the loop still asks for and that no other bools decide.
  [[nodiscard]] std::optional<NodeId> open_condition() const {
    LoopVersion version;
    fill_version(plan_, streams_, work_, resolved_, version);
    for (const NodeId id : version.nodes)
      for (int i = 0; i < graph_[id].operand_count(); ++i)
        if (const auto open = open_in(graph_[id].operands[static_cast<std::size_t>(i)]))
          return open;
    for (const StreamStore& store : version.stores)
      if (const auto open = open_in(store.value)) return open;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (resolved_.live[i] && chooses_reductions(graph_.nodes[i]))
        if (const auto open = open_in(graph_.nodes[i].operands[0])) return open;
    for (const PartialKind kind : kElementKinds)
      for (const Partial& partial : plan_.partials_of(kind))
        for (const NodeId reduction : partial.reductions)
          if (const auto open = open_in(ir::domain_of(graph_[reduction]))) return open;
    return std::nullopt;
  }

  /// One arm of such a select needs reductions that the tensors of the other have no use for, and
  /// perhaps no rows.
  [[nodiscard]] bool chooses_reductions(const Node& node) const {
    return node.kind == NodeKind::Apply && node.op == Op::Select &&
           !types::fits(node.rate, ir::Rate::Group) &&
           aliases_.is_over_facts(resolved_.alias[node.operands[0].index]) &&
           (needs_reductions_[node.operands[1].index] || needs_reductions_[node.operands[2].index]);
  }

  static std::vector<bool> find_dependents_of_reductions(const ir::Graph& graph) {
    std::vector<bool> depends(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      depends[i] = node.kind == NodeKind::Reduce;
      for (int k = 0; k < node.operand_count(); ++k)
        if (depends[node.operands[static_cast<std::size_t>(k)].index]) depends[i] = true;
    }
    return depends;
  }

  /// Looks through selects and logic of rate tensor only: what is computed from facts is a number
  /// like others.
  [[nodiscard]] std::optional<NodeId> open_in(NodeId unresolved) const {
    const NodeId id = resolved_.alias[unresolved.index];
    const Node& node = graph_[id];
    if (node.rate != ir::Rate::Tensor || resolved_.truths[id.index]) return std::nullopt;
    const bool is_logic = node.kind == NodeKind::Apply &&
                          (node.op == Op::And || node.op == Op::Or || node.op == Op::Not);
    const bool is_select = node.kind == NodeKind::Apply && node.op == Op::Select;
    if (is_logic || is_select) {
      for (int i = 0; i < node.operand_count(); ++i)
        if (const auto open = open_in(node.operands[static_cast<std::size_t>(i)])) return open;
      return std::nullopt;
    }
    const bool is_decision =
        node.type == ir::ValueType::Bool && aliases_.is_over_facts(id) && !assumes(route_, id);
    return is_decision ? std::optional(id) : std::nullopt;
  }

  const Plan& plan_;
  const ir::Graph& graph_;
  const Aliases& aliases_;
  const std::vector<Stream> streams_;
  const std::vector<bool> needs_reductions_;
  PassWork work_;
  std::vector<Assumption> route_;  // what is known of the facts
  Resolved resolved_;
  std::size_t pending_ = 0;  // routes that are yet to come
  std::vector<Route> routes_;
};

// ---- Versions ----

class VersionMaker {
 public:
  VersionMaker(const Plan& plan, const Aliases& aliases, const std::vector<Stream>& streams,
               const PassWork& work, const CallWays& ways)
      : plan_(plan),
        graph_(plan.graph),
        aliases_(aliases),
        streams_(streams),
        work_(work),
        ends_(ways.ways) {}

  std::vector<LoopVersion> run() && {
    for (route_ = 0; route_ < plan_.routes.size(); ++route_) add_route();
    return std::move(versions_);
  }

 private:
  /// The versions of one route, for every end of the call.
  void add_route() {
    for (const std::vector<Assumption>& end : ends_) {
      const bool goes_on = &end == &ends_.back();
      add_versions(end);
      if (goes_on) {
        versions_.push_back(make_version(end));
        versions_.back().assumptions.clear();  // the only end left
      } else if (has_guards_) {
        versions_.push_back(make_version(end));
      }
    }
  }

  [[nodiscard]] bool is_guard(NodeId id) const { return graph_[id].kind == NodeKind::IsNormal; }

  /// Adds the versions for one end of the call.
  void add_versions(const std::vector<Assumption>& ends) {
    std::set<NodeId> rule_conditions;
    for (const NodeId condition : conditions_of(make_version(ends)))
      if (!is_guard(condition)) rule_conditions.insert(condition);
    enumerates_ = rule_conditions.size() <= kMaxEnumeratedConditions;
    has_guards_ = false;
    most_assumptions_ = ends.size() + kMaxEnumeratedConditions;
    enumerate(ends);
  }

  /// Adds the versions in which `assumptions` and all guards hold, one for each outcome of the
  /// conditions left.
  void enumerate(const std::vector<Assumption>& assumptions) {
    const LoopVersion version = make_version(assumptions);
    const std::vector<NodeId> conditions = conditions_of(version);
    const auto open = std::find_if_not(conditions.begin(), conditions.end(),
                                       [&](NodeId id) { return is_guard(id); });
    if (enumerates_ && open != conditions.end() && assumptions.size() < most_assumptions_) {
      for (const bool holds : {true, false}) {
        std::vector<Assumption> more = assumptions;
        more.push_back({.condition = *open, .holds = holds});
        enumerate(more);
      }
      return;
    }
    std::vector<Assumption> with_guards = assumptions;
    for (const NodeId condition : conditions)
      if (is_guard(condition)) with_guards.push_back({.condition = condition, .holds = true});
    has_guards_ = has_guards_ || with_guards.size() > assumptions.size();
    // One that assumes only that the call goes on is the last of its route.
    if (with_guards.size() > ends_.back().size() || !is_going_on(assumptions))
      versions_.push_back(make_version(with_guards));
  }

  [[nodiscard]] bool is_going_on(const std::vector<Assumption>& assumptions) const {
    return std::ranges::all_of(ends_.back(), [&](const Assumption& end) {
      return std::ranges::any_of(assumptions, [&](const Assumption& assumption) {
        return assumption.condition == end.condition && assumption.holds == end.holds;
      });
    });
  }

  /// Conditions that nodes of the loop still ask for, in the order of their first use.
  [[nodiscard]] std::vector<NodeId> conditions_of(const LoopVersion& version) const {
    std::vector<NodeId> conditions;
    for (const NodeId id : version.nodes) {
      if (std::ranges::find(version.loads, id, &StreamLoad::node) != version.loads.end()) continue;
      for (int i = 0; i < condition_count(graph_[id]); ++i) {
        const NodeId operand =
            version.alias[graph_[id].operands[static_cast<std::size_t>(i)].index];
        if (types::fits(graph_[operand].rate, ir::Rate::Tensor) && !aliases_.is_constant(operand) &&
            !assumes(version.assumptions, operand) &&
            std::ranges::find(conditions, operand) == conditions.end())
          conditions.push_back(operand);
      }
    }
    return conditions;
  }

  [[nodiscard]] LoopVersion make_version(const std::vector<Assumption>& assumptions) const {
    Resolved resolved = aliases_.resolve(plan_.routes[route_].conditions, assumptions);
    LoopVersion version;
    version.route = route_;
    version.assumptions = assumptions;
    TALWEG_CHECK(fill_version(plan_, streams_, work_, resolved, version),
                 "a pass reads only what is still there");
    version.alias = std::move(resolved.alias);
    return version;
  }

  const Plan& plan_;
  const ir::Graph& graph_;
  const Aliases& aliases_;
  const std::vector<Stream>& streams_;
  const PassWork& work_;
  const std::vector<std::vector<Assumption>>& ends_;
  std::uint32_t route_ = 0;
  bool enumerates_ = false;
  bool has_guards_ = false;
  std::size_t most_assumptions_ = 0;
  std::vector<LoopVersion> versions_;
};

}  // namespace

std::vector<Route> make_routes(const Plan& plan, const Aliases& aliases) {
  return RouteMaker(plan, aliases).run();
}

std::vector<LoopVersion> make_versions(const Plan& plan, const Aliases& aliases,
                                       const std::vector<Stream>& streams, const PassWork& work,
                                       const CallWays& ways) {
  return VersionMaker(plan, aliases, streams, work, ways).run();
}

}  // namespace talweg::plan
