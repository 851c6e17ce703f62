// Reductions within a chunk: 64 lanes of float64 in memory, joined element by element and folded
// where a segment ends; then the segments of the chunk. The order is that of ir/sequence.h,
// whatever the width of vectors.
#pragma once

#include "compiler/builtins/reduction.h"
#include "compiler/codegen/operations.h"

namespace talweg::codegen {

/// Two results of a fold as one.
llvm::Value* emit_combine(const Emission& emission, builtins::Fold fold, llvm::Value* a,
                          llvm::Value* b);
/// `before` with one more value a lane: `a`, or of a dot product `a` and `b`, Arrays of
/// `emission`'s shape.
llvm::Value* emit_joined(const Emission& emission, builtins::Fold fold, llvm::Value* before,
                         llvm::Value* a, llvm::Value* b);

/// Memory for one fold of one chunk, on the stack of the function.
struct FoldLanes {
  builtins::Fold fold = builtins::Fold::Sum;
  llvm::Value* lanes = nullptr;     // [64 x double]
  llvm::Value* segments = nullptr;  // [16 x double]
};

/// Allocates where the function begins.
FoldLanes allocate_lanes(llvm::IRBuilder<>& ir, builtins::Fold fold);

/// Lanes before the first of a segment's `count` elements; segments before the first of a chunk's.
void emit_start_lanes(llvm::IRBuilder<>& ir, const std::vector<FoldLanes>& folds,
                      llvm::Value* count);
void emit_start_segments(llvm::IRBuilder<>& ir, const std::vector<FoldLanes>& folds,
                         llvm::Value* count);

/// Joins values to the lanes of elements `index`, `index` + 1, ...: `a` and (of a dot product) `b`
/// are Arrays of `emission`'s shape. Where `mask` is not null, only those whose lane of it holds.
void emit_join(const Emission& emission, const FoldLanes& fold, llvm::Value* index,
               llvm::Value* mask, llvm::Value* a, llvm::Value* b);

/// The lanes as one value each, kept as those of segment `segment`, of `count` elements.
void emit_end_segment(llvm::IRBuilder<>& ir, HelperFunctions& helpers,
                      const std::vector<FoldLanes>& folds, llvm::Value* segment,
                      llvm::Value* count);
/// What a chunk of `count` elements leaves: one float64 each, stored where `results` point.
void emit_end_chunk(llvm::IRBuilder<>& ir, HelperFunctions& helpers,
                    const std::vector<FoldLanes>& folds, const std::vector<llvm::Value*>& results,
                    llvm::Value* count);

// ---- Rows and columns ----

/// Memory for one fold of one row: blocks of values, blocks of those, and so on.
struct RowFold {
  FoldLanes elements;
  FoldLanes segments;           // lanes of what segments leave
  FoldLanes blocks;             // of what blocks of 1,024 segments leave
  llvm::Value* last = nullptr;  // double: what the last segment left
};
RowFold allocate_row(llvm::IRBuilder<>& ir, builtins::Fold fold);
/// Before the first segment of a row of so many (i64, perhaps 0); before each segment, numbered
/// from 0.
void emit_start_row(llvm::IRBuilder<>& ir, const RowFold& fold, llvm::Value* segment_count);
void emit_start_row_segment(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const RowFold& fold,
                            llvm::Value* segment);
void emit_end_row_segment(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const RowFold& fold,
                          llvm::Value* segment, llvm::Value* segment_count);
/// The row's value.
llvm::Value* emit_row_value(llvm::IRBuilder<>& ir, HelperFunctions& helpers, const RowFold& fold,
                            llvm::Value* segment_count);

/// Joins values to those of columns, entries `index`, `index` + 1, ... of an array of float64, or,
/// where `is_first` holds, to what the fold starts from.
void emit_join_columns(const Emission& emission, builtins::Fold fold, llvm::Value* columns,
                       llvm::Value* index, llvm::Value* mask, llvm::Value* is_first, llvm::Value* a,
                       llvm::Value* b);

}  // namespace talweg::codegen
