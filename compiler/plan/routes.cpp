// Conditions on facts of the tensor (the arms of `when`, `if rank >= 2`) are not left open: each
// combination that can matter is a route, with versions of its own that touch only what its tensors
// keep.
#include "compiler/plan/routes.h"

#include <algorithm>
#include <optional>

#include "compiler/ir/phases.h"
#include "compiler/plan/outcomes.h"
#include "compiler/plan/pass_work.h"
#include "compiler/plan/schedule.h"

namespace talweg::plan {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

namespace {

bool assumes(std::span<const Assumption> assumptions, NodeId condition) {
  return std::ranges::any_of(
      assumptions, [&](const Assumption& assumption) { return assumption.condition == condition; });
}

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

}  // namespace

std::vector<Route> make_routes(const Plan& plan, const Aliases& aliases) {
  return RouteMaker(plan, aliases).run();
}

}  // namespace talweg::plan
