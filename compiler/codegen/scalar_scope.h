// Values slower than element (and but for those of columns) inside one emitted function: read from
// slots where earlier code left them, else from the arguments of the scalar functions, else
// computed.
#pragma once

#include <span>
#include <vector>

#include "compiler/codegen/abi_layout.h"
#include "compiler/codegen/line_slots.h"
#include "compiler/codegen/operations.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// Where a function finds what it does not compute. Arrays are of its model, group, tensor or
/// matrix.
struct ScalarSources {
  llvm::Value* args = nullptr;         // a talweg_scalar_args
  llvm::Value* model_slots = nullptr;  // null: not there to be read
  llvm::Value* group_slots = nullptr;
  llvm::Value* tensor_slots = nullptr;
  llvm::Value* matrix_slots = nullptr;
  LineSlots row_slots = {};
  llvm::Value* row = nullptr;     // i64: its number
  llvm::Value* facts = nullptr;   // float64, as what follows
  llvm::Value* states = nullptr;  // of a tensor or matrix
  llvm::Value* inputs = nullptr;  // likewise
  llvm::Value* reduced = nullptr;
  const plan::ScalarProgram* program = nullptr;  // its nodes are computed, whatever has slots
};

class ScalarScope {
 public:
  /// `emission` has one lane. Everything is emitted at its builder's position, which must dominate
  /// later uses.
  ScalarScope(const plan::Plan& plan, const Emission& emission, const ScalarSources& sources);

  /// The value of a node slower than element, emitted at its first use: double, the compute type,
  /// or i1.
  llvm::Value* value(ir::NodeId id);

  /// Computes nodes of one elementary function, of which none depends on another, in the lanes of
  /// one vector where the machine has vectors: its latency is then paid once, not for each.
  void compute_together(builtins::Op op, std::span<const ir::NodeId> ids);

  void store_slot(llvm::Value* slots, std::size_t index, ir::NodeId id);
  /// A Scalar or a Bool (as 0 or 1) into entry `index` of an array of float64.
  void store_number(llvm::Value* numbers, std::size_t index, ir::NodeId id);
  /// An i1 into entry `index` of an array of bytes.
  void store_truth(llvm::Value* bytes, std::size_t index, llvm::Value* truth);

 private:
  llvm::Value* emit(ir::NodeId id);
  llvm::Value* emit_leaf(const ir::Node& node);
  llvm::Value* load_slot(llvm::Value* slots, std::uint32_t index, ir::ValueType type);
  llvm::Value* load_entry(Offset array_offset, llvm::Type* type, std::uint32_t index);
  llvm::Value* load_number(llvm::Value* numbers, std::uint32_t index, ir::ValueType type);
  /// Where a node's slot is and can be read; null: it is computed.
  [[nodiscard]] llvm::Value* slots_of(ir::NodeId id) const;

  const plan::Plan& plan_;
  Emission emission_;
  ScalarSources sources_;
  std::vector<llvm::Value*> values_;
  std::vector<llvm::Value*> slots_;       // by node: where its slot can be read
  std::vector<std::uint32_t> slot_;       // by node: which one it is
  std::vector<std::uint32_t> reduction_;  // by node
};

}  // namespace talweg::codegen
