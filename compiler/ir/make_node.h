// Nodes with the type and rate that follow from their operands. Whatever makes nodes makes them
// here, so that the rules of types and rates are written once; the verifier checks them against the
// same functions.
#pragma once

#include <initializer_list>

#include "compiler/ir/graph.h"

namespace talweg::ir {

Node make_constant(double value);
Node make_truth(bool value);
/// Param, Grad, StepNumber or CallNumber.
Node make_leaf(NodeKind kind);
/// State, Input, Given, Hyper or Fact: entry `index` of the graph's table, which must hold it.
Node make_leaf(const Graph& graph, NodeKind kind, std::uint32_t index);
/// Operands are of the types that `op` wants; nothing is converted.
Node make_apply(const Graph& graph, builtins::Op op, std::initializer_list<NodeId> operands);
/// ToArray, DivScalar, IsNormal, Flush or Spread.
Node make_conversion(const Graph& graph, NodeKind kind, std::initializer_list<NodeId> operands);

/// A reduction to `rate` over the index values of rate `over`; operands are those of the fold, then
/// the domain.
Node make_reduce(const Graph& graph, builtins::Fold fold, Rate over, Rate rate,
                 std::initializer_list<NodeId> operands);

/// The type that `node` must have, given its operands and the tables.
ValueType type_of(const Graph& graph, const Node& node);
/// The rate that `node` must have: the join of its operands, or that of its table entry; of a
/// reduction the one it has.
Rate rate_of(const Graph& graph, const Node& node);

}  // namespace talweg::ir
