#include "compiler/plan/outcomes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "compiler/builtins/evaluate.h"
#include "runtime/abi/talweg_tensor.h"

namespace talweg::plan {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

namespace {

constexpr std::size_t kMostOutcomes = 1 << 12;

bool is_logic(const Node& node) {
  if (node.kind != NodeKind::Apply || node.type != ir::ValueType::Bool) return false;
  return node.op == Op::And || node.op == Op::Or || node.op == Op::Not || node.op == Op::Select;
}

/// Of a comparison of a scalar with a constant: which operand is the scalar.
std::optional<std::size_t> compared_operand(const ir::Graph& graph, const Node& node) {
  if (node.kind != NodeKind::Apply ||
      builtins::info(node.op).signature != builtins::Signature::Comparison)
    return std::nullopt;
  for (const std::size_t i : {0, 1}) {
    const Node& number = graph[node.operands[i]];
    if (graph[node.operands[1 - i]].kind == NodeKind::Constant &&
        number.kind != NodeKind::Constant && number.type == ir::ValueType::Scalar)
      return i;
  }
  return std::nullopt;
}

Outcomes::Set joined(Outcomes::Set a, const Outcomes::Set& b, bool is_and) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = is_and ? a[i] && b[i] : a[i] || b[i];
  return a;
}

std::vector<NodeId> conditions_in(const std::vector<std::vector<Assumption>>& lists) {
  std::vector<NodeId> result;
  for (const auto& list : lists)
    for (const Assumption& assumption : list) result.push_back(assumption.condition);
  return result;
}

}  // namespace

bool may_be_nan(const ir::Graph& graph, NodeId number) {
  const Node& node = graph[number];
  switch (node.kind) {
    case NodeKind::Fact:
    case NodeKind::StepNumber:
    case NodeKind::CallNumber:
      return false;
    case NodeKind::Constant:
      return std::isnan(node.value);
    case NodeKind::Hyper:  // no NaN is in a range; of those that follow others it means "not set"
      return graph.hypers[node.index].follows;
    case NodeKind::Apply:
      return (node.op != Op::Min && node.op != Op::Max) || may_be_nan(graph, node.operands[0]) ||
             may_be_nan(graph, node.operands[1]);
    default:
      return true;
  }
}

Outcomes::Outcomes(const ir::Graph& graph, std::span<const NodeId> conditions) : graph_(graph) {
  for (const NodeId condition : conditions) find_axes(condition);
  for (auto& [id, axis] : axes_) {
    std::ranges::sort(axis.values);
    const auto twins = std::ranges::unique(axis.values);
    axis.values.erase(twins.begin(), twins.end());
    if (graph_[id].type == ir::ValueType::Scalar && may_be_nan(graph_, id))
      axis.values.push_back(std::numeric_limits<double>::quiet_NaN());
    axis.stride = count_;
    count_ *= axis.values.size();
    if (count_ > kMostOutcomes) {
      are_few_ = false;
      return;
    }
  }
}

/// Nodes that ask for the same fact are one.
NodeId Outcomes::key(NodeId id) const {
  const Node& node = graph_[id];
  if (node.kind != NodeKind::Fact) return id;
  for (std::uint32_t i = 0; i < id.index; ++i)
    if (graph_.nodes[i].kind == NodeKind::Fact && graph_.nodes[i].index == node.index)
      return NodeId(i);
  return id;
}

void Outcomes::find_axes(NodeId condition) {
  const Node& node = graph_[condition];
  if (node.kind == NodeKind::Constant) return;
  if (is_logic(node)) {
    for (int i = 0; i < node.operand_count(); ++i)
      find_axes(node.operands[static_cast<std::size_t>(i)]);
  } else if (const auto number = compared_operand(graph_, node)) {
    add_values(key(node.operands[*number]), graph_[node.operands[1 - *number]].value);
  } else {
    axes_[key(condition)].values = {0, 1};
  }
}

/// A number on each side of a limit, and the limit, as far as there are such.
void Outcomes::add_values(NodeId number, double limit) {
  if (std::isnan(limit)) limit = 0;  // every number compares with it in the same way
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double>& values = axes_[number].values;
  const Node& node = graph_[number];
  if (node.kind != NodeKind::Fact) {
    for (const double value :
         {std::nextafter(limit, -kInfinity), limit, std::nextafter(limit, kInfinity)})
      values.push_back(value);
    return;
  }
  const bool is_rank = graph_.facts[node.index].kind == types::FactKind::Rank;
  const double most = is_rank ? TALWEG_MAX_RANK : 0x1p53;
  for (const double value :
       {std::ceil(limit) - 1, std::floor(limit), std::ceil(limit), std::floor(limit) + 1})
    values.push_back(std::clamp(value, 0.0, most));
}

Outcomes::Set Outcomes::where(NodeId condition, bool holds) const {
  const Node& node = graph_[condition];
  Set result(count_);
  if (node.kind == NodeKind::Constant) {
    result.assign(count_, node.value != 0);
  } else if (is_logic(node)) {
    const auto& [a, b, c] = node.operands;
    if (node.op == Op::Not) return where(a, !holds);
    if (node.op == Op::Select) {
      const Set first = joined(where(a, true), where(b, holds), true);
      return joined(first, joined(where(a, false), where(c, holds), true), false);
    }
    result = joined(where(a, true), where(b, true), node.op == Op::And);
  } else if (const auto number = compared_operand(graph_, node)) {
    const Axis& axis = axes_.at(key(node.operands[*number]));
    std::array<double, 2> operands{};
    operands[1 - *number] = graph_[node.operands[1 - *number]].value;
    for (std::size_t i = 0; i < count_; ++i) {
      operands[*number] = at(axis, i);
      result[i] = builtins::evaluate(node.op, operands.data()) != 0;
    }
  } else {
    const Axis& axis = axes_.at(key(condition));
    for (std::size_t i = 0; i < count_; ++i) result[i] = at(axis, i) != 0;
  }
  if (!holds) result.flip();
  return result;
}

Outcomes::Set Outcomes::where_all(std::span<const Assumption> assumptions) const {
  Set result = all();
  for (const Assumption& assumption : assumptions)
    result = joined(std::move(result), where(assumption.condition, assumption.holds), true);
  return result;
}

bool may_hold(const ir::Graph& graph, std::span<const Assumption> assumptions) {
  const Outcomes outcomes(
      graph, conditions_in({std::vector<Assumption>(assumptions.begin(), assumptions.end())}));
  if (!outcomes.are_few()) return true;
  return std::ranges::count(outcomes.where_all(assumptions), true) > 0;
}

std::vector<bool> may_be_first(const ir::Graph& graph,
                               const std::vector<std::vector<Assumption>>& lists) {
  std::vector<bool> result(lists.size(), true);
  const Outcomes outcomes(graph, conditions_in(lists));
  if (!outcomes.are_few()) return result;
  Outcomes::Set left = outcomes.all();
  for (std::size_t i = 0; i < lists.size(); ++i) {
    Outcomes::Set taken = outcomes.where_all(lists[i]);
    result[i] = std::ranges::count(joined(taken, left, true), true) > 0;
    taken.flip();
    left = joined(std::move(left), taken, true);
  }
  return result;
}

}  // namespace talweg::plan
