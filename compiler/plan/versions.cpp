// Scalar conditions come in two kinds. Guards of divisions (is_normal of a rounded reciprocal)
// nearly always hold, so the versions made for speed assume that all do. Conditions of the rule (`t
// % 5 == 0`) go both ways; where there are few, there is a version for each outcome, and what an
// outcome leaves unread or unchanged costs nothing. Above all stands how the call ends: a skipped
// or held one always has versions of its own, so it touches what it changes and nothing else. A
// last version assumes nothing and is right whatever holds.
//
// Conditions on facts of the tensor (the arms of `when`) are never left open: each combination that
// can matter is a route, with versions of its own that touch only what its tensors keep.
#include "compiler/plan/versions.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

#include "compiler/ir/interpret.h"

namespace talweg::plan {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Rate;

namespace {

/// What is known of a Bool: nothing, or its value.
using Truths = std::vector<std::optional<bool>>;

class VersionMaker {
 public:
  VersionMaker(const ir::Graph& graph, types::ComputeType compute,
               const std::vector<Stream>& streams)
      : graph_(graph),
        streams_(streams),
        constant_truths_(find_constant_truths(graph, compute)),
        is_over_facts_(find_over_facts(graph)) {}

  RoutesAndVersions run() && {
    add_routes({});
    return {std::move(routes_), std::move(versions_)};
  }

 private:
  /// The routes on which `conditions` hold.
  void add_routes(const std::vector<Assumption>& conditions) {
    route_ = conditions;
    if (const auto open = open_route_condition(make_version({}))) {
      for (const bool holds : {true, false}) {
        std::vector<Assumption> more = conditions;
        more.push_back({.condition = *open, .holds = holds});
        add_routes(more);
      }
      return;
    }
    add_route_versions();
    routes_.push_back({conditions});
  }

  /// A bool over facts that the loop still asks for and that no other bools decide.
  [[nodiscard]] std::optional<NodeId> open_route_condition(const LoopVersion& version) const {
    const auto decides = [&](NodeId id) {
      const Node& node = graph_[id];
      const bool is_derived =
          node.kind == NodeKind::Apply &&
          (node.op == Op::And || node.op == Op::Or || node.op == Op::Not || node.op == Op::Select);
      const bool is_assumed = std::any_of(route_.begin(), route_.end(),
                                          [&](const Assumption& a) { return a.condition == id; });
      return node.rate == Rate::Tensor && is_over_facts_[id.index] &&
             node.type == ir::ValueType::Bool && !is_derived && !is_assumed;
    };
    const auto found = std::find_if(version.nodes.begin(), version.nodes.end(), decides);
    return found == version.nodes.end() ? std::nullopt : std::optional(*found);
  }

  /// The versions of one route, for every end of the call.
  void add_route_versions() {
    std::vector<Assumption> goes_on;
    for (const NodeId end : {graph_.skipped, graph_.held}) {
      if (!end.valid() || constant_truths_[end.index]) continue;
      std::vector<Assumption> ends = goes_on;
      ends.push_back({.condition = end, .holds = true});
      add_versions(ends);
      if (has_guards_) versions_.push_back(make_version(ends));
      goes_on.push_back({.condition = end, .holds = false});
    }
    add_versions(goes_on);
    versions_.push_back(make_version({}));
  }

  /// Truths that hold in every step: conditions of rate const, in this compute type.
  static Truths find_constant_truths(const ir::Graph& graph, types::ComputeType compute) {
    ir::Machine machine(graph, compute);
    ir::ScalarContext context;
    context.hypers.resize(graph.hypers.size());
    context.states.resize(graph.states.size());
    context.inputs.resize(graph.inputs.size());
    context.given.resize(graph.inputs.size());
    machine.run_scalars(context);
    Truths truths(graph.nodes.size());
    for (std::uint32_t i = 0; i < graph.nodes.size(); ++i)
      if (graph.nodes[i].type == ir::ValueType::Bool && graph.nodes[i].rate == Rate::Const)
        truths[i] = machine[NodeId(i)].truth;
    return truths;
  }

  /// Known where the optimizer is built. `is_finite(x)`, say, has rate tensor too where x is one of
  /// two scalars by a fact, but changes from step to step: it stays in the loop.
  static std::vector<bool> find_over_facts(const ir::Graph& graph) {
    std::vector<bool> over_facts(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      over_facts[i] = node.operand_count() > 0 || node.kind == NodeKind::Constant ||
                      node.kind == NodeKind::Fact;
      for (int k = 0; k < node.operand_count(); ++k)
        if (!over_facts[node.operands[static_cast<std::size_t>(k)].index]) over_facts[i] = false;
    }
    return over_facts;
  }

  [[nodiscard]] bool is_guard(NodeId id) const { return graph_[id].kind == NodeKind::IsNormal; }
  /// Computed before the loop.
  [[nodiscard]] bool is_scalar(NodeId id) const {
    return types::fits(graph_[id].rate, Rate::Group);
  }

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
    if (!with_guards.empty()) versions_.push_back(make_version(with_guards));
  }

  /// Scalar conditions that nodes of the loop still ask for, in the order of their first use.
  [[nodiscard]] std::vector<NodeId> conditions_of(const LoopVersion& version) const {
    std::vector<NodeId> conditions;
    for (const NodeId id : version.nodes) {
      for (int i = 0; i < condition_count(graph_[id]); ++i) {
        const NodeId operand =
            version.alias[graph_[id].operands[static_cast<std::size_t>(i)].index];
        if (is_scalar(operand) && !is_known(version, operand) &&
            std::find(conditions.begin(), conditions.end(), operand) == conditions.end())
          conditions.push_back(operand);
      }
    }
    return conditions;
  }

  /// How many of a node's first operands decide what it is.
  static int condition_count(const Node& node) {
    if (node.kind != NodeKind::Apply) return 0;
    if (node.op == Op::Select) return 1;
    return node.op == Op::And || node.op == Op::Or ? 2 : 0;
  }

  [[nodiscard]] bool is_known(const LoopVersion& version, NodeId condition) const {
    const auto assumes = [&](const Assumption& assumption) {
      return assumption.condition == condition;
    };
    return constant_truths_[condition.index].has_value() ||
           std::any_of(version.assumptions.begin(), version.assumptions.end(), assumes);
  }

  [[nodiscard]] LoopVersion make_version(const std::vector<Assumption>& assumptions) const {
    Truths truths = constant_truths_;
    for (const auto* known : {&route_, &assumptions})
      for (const Assumption& assumption : *known)
        truths[assumption.condition.index] = assumption.holds;
    if (!assumptions.empty()) spread(truths);
    LoopVersion version;
    version.route = static_cast<std::uint32_t>(routes_.size());
    version.assumptions = assumptions;
    version.alias.reserve(graph_.nodes.size());
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      const NodeId id(i);
      // What is slower than the loop is computed as it stands.
      version.alias.push_back(is_scalar(id) ? id : stand_in(id, version.alias, truths));
    }
    add_stores(version);
    add_nodes(version);
    return version;
  }

  /// What truths of scalars say about those that they are made of, and those about others.
  void spread(Truths& truths) const {
    for (std::size_t i = graph_.nodes.size(); i-- > 0;)
      if (is_scalar_logic(i) && truths[i]) spread_to_operands(graph_.nodes[i], *truths[i], truths);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (is_scalar_logic(i) && !truths[i]) truths[i] = truth_of(graph_.nodes[i], truths);
  }

  [[nodiscard]] bool is_scalar_logic(std::size_t i) const {
    const Node& node = graph_.nodes[i];
    return is_scalar(NodeId(static_cast<std::uint32_t>(i))) && node.kind == NodeKind::Apply &&
           (node.op == Op::And || node.op == Op::Or || node.op == Op::Not);
  }

  static void spread_to_operands(const Node& node, bool truth, Truths& truths) {
    const auto learn = [&](std::size_t i, bool operand) {
      std::optional<bool>& known = truths[node.operands[i].index];
      if (!known) known = operand;
    };
    if (node.op == Op::Not) return learn(0, !truth);
    // Of a true `or`, and of a false `and`, one operand tells only if the other did not decide.
    const bool decider = node.op == Op::Or;
    for (const std::size_t i : {0, 1})
      if (truth != decider || truths[node.operands[1 - i].index] == !decider) learn(i, truth);
  }

  static std::optional<bool> truth_of(const Node& node, const Truths& truths) {
    const std::optional<bool> a = truths[node.operands[0].index];
    if (node.op == Op::Not) return a ? std::optional(!*a) : std::nullopt;
    const std::optional<bool> b = truths[node.operands[1].index];
    const bool decider = node.op == Op::Or;
    if (a == decider || b == decider) return decider;
    return a && b ? std::optional(!decider) : std::nullopt;
  }

  /// The node that stands for one of the loop; derives what is known of a Bool.
  NodeId stand_in(NodeId id, const std::vector<NodeId>& alias, Truths& truths) const {
    const Node& node = graph_[id];
    if (node.kind != NodeKind::Apply) return id;
    const auto operand = [&](std::size_t i) { return alias[node.operands[i].index]; };
    const auto truth = [&](std::size_t i) { return truths[operand(i).index]; };
    if (node.op == Op::Select && truth(0)) {
      const NodeId arm = operand(*truth(0) ? 1 : 2);
      truths[id.index] = truths[arm.index];
      return arm;
    }
    if (node.op == Op::Not && truth(0)) truths[id.index] = !*truth(0);
    if (node.op != Op::And && node.op != Op::Or) return id;
    for (const std::size_t i : {0, 1}) {
      if (!truth(i)) continue;
      const bool decides = *truth(i) == (node.op == Op::Or);
      if (!decides) return operand(1 - i);
      truths[id.index] = truth(i);
    }
    return id;
  }

  [[nodiscard]] bool writes_back(const Stream& stream, NodeId value) const {
    const Node& node = graph_[value];
    if (stream.kind == StreamKind::Param) return node.kind == NodeKind::Param;
    return node.kind == NodeKind::State && node.index == stream.index;
  }

  void add_stores(LoopVersion& version) const {
    for (const ir::Store& store : graph_.stores) {
      const StreamKind kind =
          store.target == ir::StoreTarget::Param ? StreamKind::Param : StreamKind::State;
      for (std::uint32_t i = 0; i < streams_.size(); ++i) {
        const NodeId value = version.alias[store.value.index];
        if (streams_[i].kind == kind && streams_[i].index == store.index &&
            !writes_back(streams_[i], value))
          version.stores.push_back({.stream = i, .value = value});
      }
    }
  }

  void add_nodes(LoopVersion& version) const {
    std::vector<bool> needed(graph_.nodes.size());
    for (const StreamStore& store : version.stores) needed[store.value.index] = true;
    for (std::uint32_t i = static_cast<std::uint32_t>(graph_.nodes.size()); i-- > 0;) {
      const NodeId id(i);
      if (!needed[i] || is_scalar(id)) continue;
      version.nodes.push_back(id);
      const Node& node = graph_[id];
      for (int k = 0; k < node.operand_count(); ++k)
        needed[version.alias[node.operands[static_cast<std::size_t>(k)].index].index] = true;
    }
    std::reverse(version.nodes.begin(), version.nodes.end());
  }

  const ir::Graph& graph_;
  const std::vector<Stream>& streams_;
  const Truths constant_truths_;
  const std::vector<bool> is_over_facts_;
  std::vector<Assumption> route_;  // what is known of the facts
  bool enumerates_ = false;
  bool has_guards_ = false;
  std::size_t most_assumptions_ = 0;
  std::vector<Route> routes_;
  std::vector<LoopVersion> versions_;
};

}  // namespace

RoutesAndVersions make_versions(const ir::Graph& graph, types::ComputeType compute,
                                const std::vector<Stream>& streams) {
  return VersionMaker(graph, compute, streams).run();
}

}  // namespace talweg::plan
