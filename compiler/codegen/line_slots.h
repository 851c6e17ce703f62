// Values of rows and columns in memory: arrays with an entry for each row (or column) of the
// optimizer. An Array value takes the compute type, a Scalar float64, and so does a Bool, as 0
// or 1.
#pragma once

#include "compiler/codegen/operations.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// The slots of a level, Row or Col, in emitted code.
struct LineSlots {
  llvm::Value* slots = nullptr;  // null: not there to be read
  llvm::Value* count = nullptr;  // i64: rows, or columns, of the optimizer
};
LineSlots load_line_slots(llvm::IRBuilder<>& ir, llvm::Value* pass_args, plan::Level level);

/// Where the array of a slot starts.
llvm::Value* emit_slot_start(llvm::IRBuilder<>& ir, const LineSlots& slots, std::size_t slot);
/// Where an array of float64 starts, of `partials` with `count` entries each.
llvm::Value* emit_partial_start(llvm::IRBuilder<>& ir, llvm::Value* partials, llvm::Value* count,
                                std::size_t partial);

/// Entries `number`, `number` + 1, ... of an array of values of `type`, one a lane; where `mask` is
/// not null, only those whose lane of it holds.
llvm::Value* emit_line_load(const Emission& emission, llvm::Value* start, llvm::Value* number,
                            ir::ValueType type, llvm::Value* mask = nullptr);
void emit_line_store(const Emission& emission, llvm::Value* start, llvm::Value* number,
                     ir::ValueType type, llvm::Value* value);

}  // namespace talweg::codegen
