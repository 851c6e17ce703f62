#include "compiler/ir/build/presence.h"

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "compiler/ir/make_node.h"
#include "compiler/ir/over_facts.h"
#include "compiler/ir/phases.h"

namespace talweg::ir {

using builtins::Op;

namespace {

/// Demands are Bools over facts, made of the conditions of selects; each is made once.
class Demands {
 public:
  explicit Demands(Graph& graph)
      : graph_(graph), over_facts_(find_over_facts(graph)), demand_(graph.nodes.size()) {
    true_ = graph_.add(make_truth(true));
  }

  void run() {
    find_demands();
    for (std::uint32_t i = 0; i < graph_.states.size(); ++i)
      if (differs_by_tensor(graph_.states[i].rate))
        narrow(graph_.states[i].present, of_leaf(NodeKind::State, i), is_written_[i]);
    for (std::uint32_t i = 0; i < graph_.inputs.size(); ++i)
      if (differs_by_tensor(graph_.inputs[i].rate))
        narrow(graph_.inputs[i].present, of_leaf(NodeKind::Input, i), std::nullopt);
  }

 private:
  using Demand = std::optional<NodeId>;  // nothing: never

  static bool differs_by_tensor(Rate rate) { return !types::fits(rate, Rate::Group); }

  // ---- Bools ----

  NodeId made(Op op, NodeId a, NodeId b) {
    const auto [place, is_new] = made_.try_emplace(std::tuple(op, a.index, b.index));
    if (is_new)
      place->second =
          graph_.add(op == Op::Not ? make_apply(graph_, op, {a}) : make_apply(graph_, op, {a, b}));
    return place->second;
  }

  [[nodiscard]] bool is(NodeId id, bool truth) const {
    return graph_[id].kind == NodeKind::Constant && (graph_[id].value != 0) == truth;
  }

  NodeId negated(NodeId a) {
    if (graph_[a].kind == NodeKind::Apply && graph_[a].op == Op::Not) return graph_[a].operands[0];
    return made(Op::Not, a, {});
  }

  Demand both(const Demand& a, NodeId b) {
    if (!a || is(b, false)) return std::nullopt;
    if (is(b, true) || *a == b) return a;
    if (is(*a, true)) return b;
    return negated(*a) == b ? std::nullopt : Demand(made(Op::And, *a, b));
  }

  Demand either(const Demand& a, const Demand& b) {
    if (!a || !b) return a ? a : b;
    if (*a == *b || is(*b, true)) return b;
    if (is(*a, true)) return a;
    return negated(*a) == *b ? true_ : made(Op::Or, *a, *b);
  }

  // ---- Demands ----

  void ask(NodeId id, const Demand& demand) {
    // What is slower than tensors is computed for all of them.
    const bool is_wide = !differs_by_tensor(graph_[id].rate);
    if (id.index < demand_.size() && demand)
      demand_[id.index] = is_wide ? Demand(true_) : either(demand_[id.index], demand);
  }

  /// What a store leaves new is asked for; what is there already is not.
  void ask_stored(const Store& store, NodeId value, const Demand& demand) {
    const Node node = graph_[value];
    const bool is_same = store.target == StoreTarget::Param
                             ? node.kind == NodeKind::Param
                             : node.kind == NodeKind::State && node.index == store.index;
    if (is_same || !demand) return;
    if (node.kind == NodeKind::Apply && node.op == Op::Select &&
        over_facts_[node.operands[0].index]) {
      ask_stored(store, node.operands[1], both(demand, node.operands[0]));
      ask_stored(store, node.operands[2], both(demand, negated(node.operands[0])));
      return;
    }
    ask(value, demand);
    if (store.target == StoreTarget::State)
      is_written_[store.index] = either(is_written_[store.index], demand);
  }

  void ask_operands(const Node& node, const Demand& demand) {
    if (node.kind == NodeKind::Apply && node.op == Op::Select &&
        over_facts_[node.operands[0].index]) {
      ask(node.operands[1], both(demand, node.operands[0]));
      ask(node.operands[2], both(demand, negated(node.operands[0])));
      return;
    }
    const bool is_reduction = node.kind == NodeKind::Reduce;
    const Demand of_operands = is_reduction ? both(demand, domain_of(node)) : demand;
    for (int k = 0; k < node.operand_count(); ++k)
      ask(node.operands[static_cast<std::size_t>(k)], of_operands);
  }

  void find_demands() {
    is_written_.resize(graph_.states.size());
    const std::vector<Store> stores = graph_.stores;
    for (const Store& store : stores) ask_stored(store, store.value, true_);
    for (const ViewInfo& view : graph_.views) ask(view.value, true_);
    for (const Regrad& regrad : graph_.regrads) ask(regrad.param, true_);
    Graph::visit_results(graph_, [&](NodeId id) {
      if (!differs_by_tensor(graph_[id].rate)) ask(id, true_);
    });
    for (std::size_t i = demand_.size(); i-- > 0;)
      if (demand_[i]) ask_operands(Node(graph_.nodes[i]), demand_[i]);
  }

  Demand of_leaf(NodeKind kind, std::uint32_t index) {
    Demand demand;
    for (std::size_t i = 0; i < demand_.size(); ++i)
      if (graph_.nodes[i].kind == kind && graph_.nodes[i].index == index)
        demand = either(demand, demand_[i]);
    return demand;
  }

  void narrow(NodeId& present, const Demand& read, const Demand& written) {
    const Demand used = either(read, written);
    const Demand narrowed = present.valid() ? both(used, present) : used;
    if (!narrowed)
      present = graph_.add(make_truth(false));
    else if (!is(*narrowed, true))
      present = *narrowed;
  }

  Graph& graph_;
  std::vector<bool> over_facts_;
  std::vector<Demand> demand_;      // by node
  std::vector<Demand> is_written_;  // by state
  std::map<std::tuple<Op, std::uint32_t, std::uint32_t>, NodeId> made_;
  NodeId true_;
};

}  // namespace

void narrow_presence(Graph& graph) { Demands(graph).run(); }

}  // namespace talweg::ir
