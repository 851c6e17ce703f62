// The numeric rules of the language as nodes: which operations a written one becomes.
//
// Rounding of scalars, contraction, division by scalars, powers and folding of constants are
// decided here, once, from the operands alone. Relies on being given the operands of one
// expression: a product that came through a local, an assignment, a call or an `if` arrives as a
// plain node and is not contracted.
#pragma once

#include <cstddef>
#include <span>

#include "compiler/ir/graph.h"

namespace talweg::ir {

/// A value on its way into an operation: a node, or a product that a sum may still take in.
struct Term {
  NodeId node;         // valid unless this is a product
  NodeId left, right;  // the factors of a product

  [[nodiscard]] bool is_product() const { return left.valid(); }
};

/// Appends the nodes of operations to a graph, up to kMaxNodes; beyond, it appends nothing more,
/// gives the last node for whatever is asked, and `full()` says that the graph is of no use.
class Arithmetic {
 public:
  static constexpr std::size_t kMaxNodes = 65'536;

  explicit Arithmetic(Graph& graph) : graph_(graph) {}

  NodeId add(const Node& node);
  NodeId constant(double value);
  /// The result of `op` on `operands` (as many as it takes).
  Term apply(builtins::Op op, std::span<const Term> operands);
  /// The node of a term; a product becomes one here, rounded.
  NodeId value(const Term& term);
  /// `then_value` where `condition` holds, else `else_value`.
  NodeId select(NodeId condition, NodeId then_value, NodeId else_value);
  /// The value as an Array: a Scalar is rounded.
  NodeId to_array(NodeId id);
  /// The same where both are for a place of rate `place`: where that is element, all tensors have a
  /// value behind it, also those that are no matrices.
  NodeId choose(NodeId condition, NodeId then_value, NodeId else_value, Rate place);
  /// What an assignment to an array place keeps: an Array, flushed.
  NodeId flush(NodeId id);

  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] const Node& operator[](NodeId id) const { return graph_[id]; }

 private:
  NodeId spread(NodeId id);
  NodeId emit(builtins::Op op, std::span<const NodeId> operands);
  NodeId multiply(NodeId left, NodeId right);
  NodeId divide(NodeId left, NodeId right);
  NodeId power(NodeId base, NodeId exponent);
  NodeId integer_power(NodeId base, int exponent);
  NodeId fuse(const Term& product, bool negate_product, NodeId addend, bool negate_addend);
  NodeId sum(const Term& left, const Term& right, bool subtract);
  [[nodiscard]] bool is_array(NodeId id) const { return graph_[id].type == ValueType::Array; }
  [[nodiscard]] bool is_array(const Term& term) const;

  Graph& graph_;
  bool full_ = false;
};

}  // namespace talweg::ir
