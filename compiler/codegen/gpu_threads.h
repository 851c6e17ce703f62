// Threads of a GPU in emitted code: who one is, and what the threads of a warp tell each other.
#pragma once

#include <llvm/IR/IRBuilder.h>

namespace talweg::codegen {

/// Numbers within the first dimension; i32.
llvm::Value* emit_thread_of_block(llvm::IRBuilder<>& ir);
llvm::Value* emit_block_of_grid(llvm::IRBuilder<>& ir);
llvm::Value* emit_threads_per_block(llvm::IRBuilder<>& ir);
llvm::Value* emit_blocks_per_grid(llvm::IRBuilder<>& ir);

/// Waits for all threads of the block, all of which must come here.
void emit_block_barrier(llvm::IRBuilder<>& ir);
/// A double of the thread of the warp whose number differs in the bits of `mask`; all threads of
/// the warp must come here.
llvm::Value* emit_exchange(llvm::IRBuilder<>& ir, llvm::Value* value, std::uint32_t mask);

/// Keeps the assembler from unrolling the loop that `branch` repeats, which would cost registers.
void keep_rolled(llvm::Instruction* branch);

/// for (index = first; index < end; index += step) emit_turn(index), i64; the builder is left
/// behind it.
template <class EmitTurn>
void emit_strided_turns(llvm::IRBuilder<>& ir, llvm::Value* first, llvm::Value* end,
                        llvm::Value* step, EmitTurn emit_turn) {
  llvm::BasicBlock* before = ir.GetInsertBlock();
  const auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(ir.getContext(), name, before->getParent());
  };
  llvm::BasicBlock *turn = block("turn"), *done = block("done");
  ir.CreateCondBr(ir.CreateICmpULT(first, end), turn, done);
  ir.SetInsertPoint(turn);
  llvm::PHINode* index = ir.CreatePHI(ir.getInt64Ty(), 2);
  index->addIncoming(first, before);
  emit_turn(index);
  llvm::Value* next = ir.CreateNUWAdd(index, step);
  index->addIncoming(next, ir.GetInsertBlock());
  ir.CreateCondBr(ir.CreateICmpULT(next, end), turn, done);
  ir.SetInsertPoint(done);
}

/// Emits `emit_then` for where `condition` holds.
template <class EmitThen>
void emit_where(llvm::IRBuilder<>& ir, llvm::Value* condition, EmitThen emit_then) {
  llvm::Function* function = ir.GetInsertBlock()->getParent();
  llvm::BasicBlock* then = llvm::BasicBlock::Create(ir.getContext(), "where", function);
  llvm::BasicBlock* after = llvm::BasicBlock::Create(ir.getContext(), "after", function);
  ir.CreateCondBr(condition, then, after);
  ir.SetInsertPoint(then);
  emit_then();
  ir.CreateBr(after);
  ir.SetInsertPoint(after);
}

}  // namespace talweg::codegen
