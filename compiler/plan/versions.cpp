// Scalar conditions come in two kinds. Guards of divisions (is_normal of a rounded reciprocal)
// nearly always hold, so the versions made for speed assume that all do. Conditions of the rule (`t
// % 5 == 0`) go both ways; where there are few, there is a version for each outcome, and what an
// outcome leaves unread or unchanged costs nothing. Above all stands the way of the call: a skipped
// or held one always has versions of its own, so it touches what it changes and nothing else, and
// so has one that waits for gradients. Ways on which the same is done share their versions.
#include "compiler/plan/versions.h"

#include <algorithm>
#include <set>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/plan/decision_list.h"

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

/// The loops of one way, in the order in which they are tried; assumptions are those beyond the
/// way's. The last has none.
using Block = std::vector<LoopVersion>;

class VersionMaker {
 public:
  VersionMaker(const UnfilledPass& pass, const Aliases& aliases, Resolver& resolve)
      : pass_(pass), graph_(pass.plan.graph), aliases_(aliases), resolve_(resolve) {}

  std::vector<LoopVersion> run() && {
    for (route_ = 0; route_ < pass_.plan.routes.size(); ++route_) add_route();
    return std::move(versions_);
  }

 private:
  void add_route() {
    const CallWays ways = find_call_ways(pass_, route_, resolve_);
    std::vector<Block> blocks, named;  // by kind of way
    std::vector<std::size_t> sizes, kinds(ways.parts.size());
    for (std::size_t i = 0; i < ways.parts.size(); ++i) {
      if (ways.parts[i].asks.valid()) continue;
      Block block = make_block(ways.parts[i].assumptions);
      Block with_names = block;
      for (LoopVersion& version : with_names) name_gradients(graph_, pass_.work, version);
      const auto same = std::ranges::find_if(
          named, [&](const Block& other) { return do_the_same(with_names, other); });
      const auto kind = static_cast<std::size_t>(same - named.begin());
      kinds[i] = kind;
      if (same == named.end()) {
        sizes.push_back(block.size());
        blocks.push_back(std::move(block));
        named.push_back(std::move(with_names));
      } else if (!do_the_same(block, blocks[kind])) {
        blocks[kind] = *same;  // names that are right in both ways
      }
    }
    for (const Decision& decision : list_decisions(ways, kinds, sizes))
      for (const LoopVersion& version : blocks[decision.kind]) {
        versions_.push_back(version);
        std::vector<Assumption>& assumptions = versions_.back().assumptions;
        assumptions.insert(assumptions.begin(), decision.assumptions.begin(),
                           decision.assumptions.end());
      }
  }

  // ---- The loops of a way ----

  Block make_block(const std::vector<Assumption>& way) {
    way_size_ = way.size();
    block_.clear();
    const LoopVersion whole = make_version(way);
    std::set<NodeId> conditions;
    for (const NodeId condition : conditions_of(whole))
      if (!is_guard(condition)) conditions.insert(condition);
    enumerates_ = conditions.size() <= kMaxEnumeratedConditions;
    const std::vector<NodeId> gates = sparing_gates(whole);
    conditions.insert(gates.begin(), gates.end());
    asks_gates_ = conditions.size() <= kMaxEnumeratedConditions;
    has_guards_ = false;
    enumerate(way);
    if (has_guards_) {
      block_.push_back(whole);
      block_.back().is_fallback = true;
    }
    block_.back().assumptions.resize(way_size_);  // nothing else is left
    for (LoopVersion& version : block_) {
      auto& assumptions = version.assumptions;
      assumptions.erase(assumptions.begin(),
                        assumptions.begin() + static_cast<std::ptrdiff_t>(way_size_));
    }
    return std::move(block_);
  }

  [[nodiscard]] bool is_guard(NodeId id) const { return graph_[id].kind == NodeKind::IsNormal; }

  /// Adds the versions in which `assumptions` and all guards hold, one for each outcome of the
  /// conditions left.
  void enumerate(const std::vector<Assumption>& assumptions) {
    const LoopVersion version = make_version(assumptions);
    const std::vector<NodeId> gates = asks_gates_ ? sparing_gates(version) : std::vector<NodeId>();
    const std::vector<NodeId> conditions = conditions_of(version);
    NodeId open;
    for (const NodeId condition : conditions)
      if (enumerates_ && !open.valid() && !is_guard(condition)) open = condition;
    if (!open.valid() && !gates.empty()) open = gates.front();
    if (open.valid() && assumptions.size() < way_size_ + kMaxEnumeratedConditions) {
      for (const bool holds : {true, false}) {
        std::vector<Assumption> more = assumptions;
        more.push_back({.condition = open, .holds = holds});
        enumerate(more);
      }
      return;
    }
    std::vector<Assumption> with_guards = assumptions;
    for (const NodeId condition : conditions)
      if (is_guard(condition)) with_guards.push_back({.condition = condition, .holds = true});
    has_guards_ = has_guards_ || with_guards.size() > assumptions.size();
    block_.push_back(make_version(with_guards));
  }

  /// Of the gates of the version made last: those that would spare an array, were they known.
  std::vector<NodeId> sparing_gates(const LoopVersion& version) {
    std::vector<NodeId> gates = std::move(gates_);
    const auto arrays = [](const LoopVersion& of) { return of.loads.size() + of.stores.size(); };
    std::erase_if(gates, [&](NodeId gate) {
      for (const bool holds : {true, false}) {
        std::vector<Assumption> more = version.assumptions;
        more.push_back({.condition = gate, .holds = holds});
        if (arrays(make_version(more)) < arrays(version)) return false;
      }
      return true;
    });
    return gates;
  }

  /// Conditions that nodes of the loop still ask for, in the order of their first use.
  [[nodiscard]] std::vector<NodeId> conditions_of(const LoopVersion& version) const {
    std::vector<NodeId> conditions;
    for (const NodeId id : version.nodes) {
      if (is_loaded(version, id)) continue;
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

  /// Leaves in `gates_` what would spare folds or stores, were it known.
  [[nodiscard]] LoopVersion make_version(const std::vector<Assumption>& assumptions) {
    const Resolved& resolved = resolve_(route_, assumptions);
    LoopVersion version;
    version.route = route_;
    version.assumptions = assumptions;
    Filled filled = fill_version(pass_.plan, pass_.streams, pass_.work, resolved, version);
    TALWEG_CHECK(filled.is_possible, "a pass reads only what is still there");
    gates_ = std::move(filled.gates);
    version.alias = resolved.alias;
    return version;
  }

  // ---- Loops that do the same ----

  [[nodiscard]] bool do_the_same(const Block& a, const Block& b) const {
    return std::ranges::equal(a, b, [&](const LoopVersion& x, const LoopVersion& y) {
      return x.assumptions == y.assumptions && x.is_fallback == y.is_fallback && do_the_same(x, y);
    });
  }

  [[nodiscard]] bool do_the_same(const LoopVersion& a, const LoopVersion& b) const {
    const std::vector<NodeId> nodes = computed_by(a);
    return nodes == computed_by(b) && a.folds == b.folds && a.stores == b.stores &&
           loads_of(a) == loads_of(b) && std::ranges::all_of(nodes, [&](NodeId id) {
             return std::ranges::all_of(graph_[id].operands, [&](NodeId operand) {
               return !operand.valid() || a.alias[operand.index] == b.alias[operand.index];
             });
           });
  }

  static bool is_loaded(const LoopVersion& version, NodeId id) {
    return std::ranges::find(version.loads, id, &StreamLoad::node) != version.loads.end();
  }

  static std::vector<NodeId> computed_by(const LoopVersion& version) {
    std::vector<NodeId> nodes = version.nodes;
    std::erase_if(nodes, [&](NodeId id) { return is_loaded(version, id); });
    return nodes;
  }

  static std::vector<StreamLoad> loads_of(const LoopVersion& version) {
    std::vector<StreamLoad> loads = version.loads;
    std::ranges::sort(loads, {}, &StreamLoad::node);
    return loads;
  }

  const UnfilledPass& pass_;
  const ir::Graph& graph_;
  const Aliases& aliases_;
  Resolver& resolve_;
  std::uint32_t route_ = 0;
  // Of the way that is being made:
  std::size_t way_size_ = 0;
  Block block_;
  bool enumerates_ = false, asks_gates_ = false;
  bool has_guards_ = false;
  std::vector<NodeId> gates_;  // of the version made last
  std::vector<LoopVersion> versions_;
};

}  // namespace

std::vector<LoopVersion> make_versions(const UnfilledPass& pass, const Aliases& aliases,
                                       Resolver& resolve) {
  return VersionMaker(pass, aliases, resolve).run();
}

}  // namespace talweg::plan
