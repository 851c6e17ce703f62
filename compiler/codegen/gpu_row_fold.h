// Folds of one row by a warp, in the order of ir/sequence.h: sixteen threads have the 64 lanes of a
// segment, four each, so that a warp goes through two segments at once; what segments leave joins
// 64 lanes in its turn, two a thread, and so do more than 1,024 of those.
#pragma once

#include <functional>
#include <vector>

#include "compiler/builtins/reduction.h"
#include "compiler/codegen/operations.h"

namespace talweg::codegen {

class GpuRowFold {
 public:
  /// `lane`: i64, the thread of the warp. `cols`: i64, the elements of a row; the same in all
  /// threads of the warp.
  GpuRowFold(llvm::IRBuilder<>& ir, HelperFunctions& helpers, llvm::Value* lane, llvm::Value* cols);

  /// One more fold of each row; gives its place.
  std::size_t add(builtins::Fold fold);

  /// Joins one element's values (Arrays of a shape with one lane) to a fold.
  using Join = std::function<void(const Emission& emission, std::size_t place, llvm::Value* a,
                                  llvm::Value* b)>;
  /// Emits a row: emit_element(col, join) for the columns of each thread.
  void emit(const std::function<void(llvm::Value* col, const Join& join)>& emit_element);
  /// What the row left, in all threads.
  llvm::Value* value(std::size_t place);

 private:
  struct Row {
    builtins::Fold fold, of_results;
    llvm::AllocaInst *elements, *segments, *blocks;  // <4 x double>, <2 x double>, <2 x double>
    llvm::AllocaInst* last;                          // double
  };

  llvm::AllocaInst* add_variable(llvm::Type* type);
  void start(const Row& row, llvm::AllocaInst* lanes);
  void emit_pair(llvm::Value* pair,
                 const std::function<void(llvm::Value* col, const Join& join)>& emit_element);
  void end_pair(const Row& row, llvm::Value* pair);
  /// Joins `value` to lane `number` mod 64 of 64, where `holds`.
  void join_result(const Row& row, llvm::AllocaInst* lanes, llvm::Value* number, llvm::Value* value,
                   llvm::Value* holds);
  llvm::Value* folded(const Row& row, llvm::AllocaInst* lanes, std::uint32_t threads);

  llvm::IRBuilder<>& ir_;
  Emission one_;  // of float64
  llvm::Value *lane_, *cols_, *segments_;
  std::vector<Row> rows_;
};

}  // namespace talweg::codegen
