#include "compiler/plan/matrix_routes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "compiler/builtins/evaluate.h"
#include "runtime/abi/talweg_tensor.h"

namespace talweg::plan {

namespace {

using builtins::Op;
using ir::Node;
using ir::NodeKind;

using Values = std::vector<std::optional<double>>;

/// What an operation on values of which some are unknown is, if that can be told.
std::optional<double> result_of(const Node& node, const Values& values) {
  std::array<double, 3> operands{};
  bool all_known = true;
  for (std::size_t i = 0; i < static_cast<std::size_t>(node.operand_count()); ++i) {
    const auto operand = values[node.operands[i].index];
    if (operand && node.op == Op::And && *operand == 0) return 0;
    if (operand && node.op == Op::Or && *operand != 0) return 1;
    all_known = all_known && operand.has_value();
    operands[i] = operand.value_or(0);
  }
  if (!all_known) return std::nullopt;
  return builtins::evaluate(node.op, operands.data());
}

/// By node: what it is for tensors of a rank, where the rank is enough to say it.
Values values_at(const ir::Graph& graph, double rank) {
  Values values;
  for (const Node& node : graph.nodes) {
    auto& value = values.emplace_back();
    if (node.kind == NodeKind::Constant) value = node.value;
    if (node.kind == NodeKind::Fact && graph.facts[node.index].kind == types::FactKind::Rank)
      value = rank;
    if (node.kind == NodeKind::Apply && types::fits(node.rate, ir::Rate::Tensor) &&
        node.type != ir::ValueType::Array)
      value = result_of(node, values);
  }
  return values;
}

}  // namespace

bool may_have_matrices(const ir::Graph& graph, const Route& route) {
  for (std::uint32_t rank = 2; rank <= TALWEG_MAX_RANK; ++rank) {
    const Values values = values_at(graph, rank);
    const bool may_hold = std::ranges::all_of(route.conditions, [&](const Assumption& assumption) {
      const auto truth = values[assumption.condition.index];
      return !truth || (*truth != 0) == assumption.holds;
    });
    if (may_hold) return true;
  }
  return false;
}

}  // namespace talweg::plan
