#include "compiler/plan/aliases.h"

#include <algorithm>

#include "compiler/ir/interpret.h"
#include "compiler/ir/over_facts.h"
#include "compiler/plan/needs.h"

namespace talweg::plan {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Rate;

namespace {

/// Truths that hold in every step: conditions of rate const, in this compute type.
Truths find_constant_truths(const ir::Graph& graph, types::ComputeType compute) {
  ir::Machine machine(graph, compute);
  machine.run_scalars(ir::empty_context(graph));
  Truths truths(graph.nodes.size());
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].type == ir::ValueType::Bool && graph.nodes[i].rate == Rate::Const)
      truths[i] = machine[NodeId(i)].truth;
  return truths;
}

/// True if something was learned.
bool spread_to_operands(const Node& node, bool truth, Truths& truths) {
  bool has_learned = false;
  const auto learn = [&](std::size_t i, bool operand) {
    std::optional<bool>& known = truths[node.operands[i].index];
    has_learned = has_learned || !known;
    if (!known) known = operand;
  };
  if (node.op == Op::Not) {
    learn(0, !truth);
    return has_learned;
  }
  // Of a true `or`, and of a false `and`, one operand tells only if the other did not decide.
  const bool decider = node.op == Op::Or;
  for (const std::size_t i : {0, 1})
    if (truth != decider || truths[node.operands[1 - i].index] == !decider) learn(i, truth);
  return has_learned;
}

std::optional<bool> truth_of(const Node& node, const Truths& truths) {
  const std::optional<bool> a = truths[node.operands[0].index];
  if (node.op == Op::Not) return a ? std::optional(!*a) : std::nullopt;
  const std::optional<bool> b = truths[node.operands[1].index];
  const bool decider = node.op == Op::Or;
  if (a == decider || b == decider) return decider;
  return a && b ? std::optional(!decider) : std::nullopt;
}

}  // namespace

Aliases::Aliases(const ir::Graph& graph, types::ComputeType compute)
    : graph_(graph),
      constant_truths_(find_constant_truths(graph, compute)),
      over_facts_(ir::find_over_facts(graph)) {
  const auto first = std::ranges::find(graph.nodes, NodeKind::Grad, &Node::kind);
  if (first != graph.nodes.end())
    first_gradient_ = NodeId(static_cast<std::uint32_t>(first - graph.nodes.begin()));
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const bool is_logic = node.op == Op::And || node.op == Op::Or || node.op == Op::Not;
    if (is_scalar(i) && node.kind == NodeKind::Apply && is_logic) scalar_logic_.emplace_back(i);
  }
}

Resolved Aliases::resolve(std::span<const Assumption> route,
                          std::span<const Assumption> assumptions) const {
  Resolved result{{}, constant_truths_, {}, {}, true};
  for (const auto& known : {route, assumptions})
    for (const Assumption& assumption : known)
      result.truths[assumption.condition.index] = assumption.holds;
  if (!assumptions.empty()) result.may_be = spread(result.truths);
  result.alias.reserve(graph_.nodes.size());
  for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i)
    result.alias.push_back(is_scalar(i) ? NodeId(i)
                                        : stand_in(NodeId(i), result.alias, result.truths));
  std::vector<Assumption> of_model;
  for (const Assumption& assumption : assumptions)
    if (types::fits(graph_[assumption.condition].rate, Rate::Model)) of_model.push_back(assumption);
  if (!route.empty() || of_model.size() < assumptions.size())
    result.shared = std::make_shared<const Resolved>(resolve({}, of_model));
  for (const Need& need : find_needs(graph_, result, {}))
    result.live.push_back(need.kind != Need::Kind::Never);
  return result;
}

bool Aliases::is_scalar(std::size_t i) const {
  return types::fits(graph_.nodes[i].rate, Rate::Group);
}

/// What truths of scalars say about those that they are made of, and those about others: down and
/// up until nothing more follows. False if they contradict each other.
bool Aliases::spread(Truths& truths) const {
  bool may_be = true;
  for (bool has_learned = true; has_learned;) {
    has_learned = false;
    for (std::size_t i = scalar_logic_.size(); i-- > 0;) {
      const NodeId id = scalar_logic_[i];
      if (truths[id.index] && spread_to_operands(graph_[id], *truths[id.index], truths))
        has_learned = true;
    }
    for (const NodeId id : scalar_logic_) {
      std::optional<bool>& known = truths[id.index];
      const std::optional<bool> truth = truth_of(graph_[id], truths);
      if (known && truth && *truth != *known) may_be = false;
      if (known || !truth) continue;
      known = truth;
      has_learned = true;
    }
  }
  return may_be;
}

/// Where the step does not wait for a gradient, it is the one before.
NodeId Aliases::gradient(NodeId id, const std::vector<NodeId>& alias, const Truths& truths) const {
  const std::uint32_t number = graph_[id].index;
  if (number == 0 || truths[graph_.regrads[number - 1].condition.index] != false) return id;
  const NodeId before = number == 1 ? first_gradient_ : graph_.regrads[number - 2].gradient;
  return before < id ? alias[before.index] : id;
}

/// The node that stands for one; derives what is known of a Bool.
NodeId Aliases::stand_in(NodeId id, const std::vector<NodeId>& alias, Truths& truths) const {
  const Node& node = graph_[id];
  if (node.kind == NodeKind::Grad) return gradient(id, alias, truths);
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

}  // namespace talweg::plan
