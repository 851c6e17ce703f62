// The loop over the elements of one chunk under one version of a pass: several vectors at a time,
// then the tail. Where the body reads values of rows and columns, the elements of one row at a
// time.
//
// Two loops over whole vectors, chosen by the caller: for data in cache several vectors are
// interleaved stage by stage (all loads, each node for all of them, all stores), so that divisions
// and roots overlap; for data in memory one cache line is worked on at a time and later lines are
// asked for ahead. (Measured on AdamW in DRAM: interleaving four vectors takes 1.35 times as long
// as one, with or without prefetch.) Every value of a turn is loaded before anything is stored, and
// no byte outside [0, element_count) is read or written; prefetches may reach further.
#pragma once

#include "compiler/codegen/pass_tables.h"

namespace talweg::codegen {

/// One chunk, in emitted code.
struct ChunkValues {
  llvm::Value* tensor;                // i64
  llvm::Value* first_element;         // i64, from the start of the tensor
  std::vector<llvm::Value*> streams;  // first element of the chunk in each stream
  llvm::Value* element_count;         // i64, 1 to TALWEG_CHUNK_ELEMENTS
  llvm::Value* prefetches;            // i1: the data is not in cache
  llvm::Value* partials;              // where chunk partial 0 of this chunk goes
  llvm::Value* partial_stride;        // i64: entries of float64 from one partial to the next
};

/// Emits the loop at `ir`'s position and leaves it where the loop has ended. `scope` resolves
/// slower values and emits at the same builder.
void emit_element_loop(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
                       const plan::LoopVersion& version, const ChunkValues& chunk,
                       const ScalarSources& sources, const PassTables& tables,
                       HelperFunctions& helpers);

}  // namespace talweg::codegen
