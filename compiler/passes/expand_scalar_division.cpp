// Replaces a / s, s a scalar, by what it means:
//
//   r = to_array(1 / s)
//   select(is_normal(r), a * r, a / to_array(s))
//
// The guard is as slow as s, so it is computed outside the loop, and a loop is chosen in which it
// is known (compiler/plan): a division per element becomes a product.
#include <utility>

#include "compiler/ir/make_node.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewriter.h"

namespace talweg::passes {

using builtins::Op;
using ir::NodeId;
using ir::NodeKind;

namespace {

NodeId expand(ir::Graph& graph, NodeId dividend, NodeId divisor) {
  const auto apply = [&](Op op, std::initializer_list<NodeId> operands) {
    return graph.add(ir::make_apply(graph, op, operands));
  };
  const auto convert = [&](NodeKind kind, NodeId operand) {
    return graph.add(ir::make_conversion(graph, kind, {operand}));
  };
  const NodeId one = graph.add(ir::make_constant(1));
  const NodeId reciprocal = convert(NodeKind::ToArray, apply(Op::Div, {one, divisor}));
  const NodeId guard = convert(NodeKind::IsNormal, reciprocal);
  const NodeId product = apply(Op::Mul, {dividend, reciprocal});
  const NodeId quotient = apply(Op::Div, {dividend, convert(NodeKind::ToArray, divisor)});
  return apply(Op::Select, {guard, product, quotient});
}

}  // namespace

ir::Graph expand_scalar_division(const ir::Graph& graph) {
  Rewriter rewriter(graph);
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node node = rewriter.mapped(graph.nodes[i]);
    const bool expands = node.kind == NodeKind::DivScalar;
    rewriter.replace(NodeId(i), expands
                                    ? expand(rewriter.target(), node.operands[0], node.operands[1])
                                    : rewriter.target().add(node));
  }
  return std::move(rewriter).finish();
}

}  // namespace talweg::passes
