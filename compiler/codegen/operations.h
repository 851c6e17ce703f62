// One node of the graph as LLVM values of any shape: the only place where an operation becomes
// instructions.
#pragma once

#include "compiler/codegen/helper_functions.h"
#include "compiler/codegen/lanes.h"
#include "compiler/ir/graph.h"

namespace talweg::codegen {

/// What arithmetic is emitted in.
struct Emission {
  Lanes lanes;
  ComputeType compute;  // of Array values; Scalar values are float64
  HelperFunctions* helpers;
  /// Roots come from estimates where the machine has them, not from the unit that divides.
  bool estimates_roots = false;
  /// Of vectors in memory, in bytes; 0: that of an element.
  std::uint32_t vector_alignment = 0;
};

/// The type of a value of `type` in `emission`'s shape.
llvm::Type* value_type(const Emission& emission, ir::ValueType type);

/// The value type of the number operands of `node`, which decides the type it is computed in.
ir::ValueType operand_value_type(const ir::Graph& graph, const ir::Node& node);

/// A node of kind Apply, ToArray, DivScalar, IsNormal, Flush or Spread. `operands` have the shape
/// of `emission` and are of the types that the node's definition says; `operand_type` is their
/// operand_value_type().
llvm::Value* emit_operation(const Emission& emission, const ir::Node& node,
                            ir::ValueType operand_type, llvm::ArrayRef<llvm::Value*> operands);

}  // namespace talweg::codegen
