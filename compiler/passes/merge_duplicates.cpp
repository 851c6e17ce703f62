// Computes equal values once: a node equal to an earlier one is replaced by it.
//
// Equal means the same kind, operation, table entry, bits of a constant, and operands; for
// operations whose operands commute (their results differ at most in the payload of a NaN), in any
// order.
#include <algorithm>
#include <bit>
#include <map>
#include <tuple>
#include <utility>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewriter.h"

namespace talweg::passes {

using builtins::Op;
using ir::Node;
using ir::NodeId;

namespace {

bool first_two_commute(const Node& node) {
  if (node.kind != ir::NodeKind::Apply) return false;
  switch (node.op) {
    case Op::Add:
    case Op::Mul:
    case Op::Fma:
    case Op::Min:
    case Op::Max:
    case Op::Eq:
    case Op::Ne:
      return true;
    case Op::Sub:
    case Op::Div:
    case Op::Neg:
    case Op::Sqrt:
    case Op::Abs:
    case Op::Sign:
    case Op::Floor:
    case Op::Ceil:
    case Op::Round:
    case Op::Trunc:
    case Op::Mod:
    case Op::Rsqrt:
    case Op::Exp:
    case Op::Expm1:
    case Op::Log:
    case Op::Log1p:
    case Op::Log2:
    case Op::Pow:
    case Op::Sin:
    case Op::Cos:
    case Op::Tan:
    case Op::Tanh:
    case Op::Atan:
    case Op::Lt:
    case Op::Le:
    case Op::Gt:
    case Op::Ge:
    case Op::And:  // the order decides which inputs a step reads
    case Op::Or:
    case Op::Not:
    case Op::Select:
    case Op::IsFinite:
      return false;
  }
  return false;
}

/// Type and rate follow from the rest, but for constants, of which the type counts.
auto key_of(const Node& node) {
  auto operands = node.operands;
  if (first_two_commute(node) && operands[1] < operands[0]) std::swap(operands[0], operands[1]);
  return std::tuple(node.kind, node.op, node.fold, node.over, node.rate, node.type, node.index,
                    std::bit_cast<std::uint64_t>(node.value), operands);
}

}  // namespace

ir::Graph merge_duplicates(const ir::Graph& graph) {
  Rewriter rewriter(graph);
  std::map<decltype(key_of(Node{})), NodeId> known;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    const Node node = rewriter.mapped(graph.nodes[i]);
    const auto [entry, is_new] = known.try_emplace(key_of(node));
    if (is_new) entry->second = rewriter.target().add(node);
    rewriter.replace(NodeId(i), entry->second);
  }
  return std::move(rewriter).finish();
}

}  // namespace talweg::passes
