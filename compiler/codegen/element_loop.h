// The loop over the elements of one chunk under one version of a pass: several vectors at a time,
// then the tail.
//
// The vectors of one turn are interleaved stage by stage: all loads, then each node for all of
// them, then all stores. So independent divisions and roots overlap. Every value of a turn is
// loaded before anything is stored, and no byte outside [0, element_count) is read or written;
// prefetches may reach further.
#pragma once

#include "compiler/codegen/scalar_scope.h"

namespace talweg::codegen {

/// One chunk, in emitted code.
struct ChunkValues {
  std::vector<llvm::Value*> streams;  // first element of the chunk in each stream
  llvm::Value* element_count;         // i64, 1 to TALWEG_CHUNK_ELEMENTS
  llvm::Value* prefetches;            // i1
};

/// Emits the loop at `ir`'s position and leaves it where the loop has ended. `scope` resolves
/// slower values and emits at the same builder.
void emit_element_loop(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
                       const plan::LoopVersion& version, const ChunkValues& chunk,
                       ScalarScope& scope, HelperFunctions& helpers);

}  // namespace talweg::codegen
