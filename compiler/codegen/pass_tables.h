// The tables that passes, tensor functions and functions of matrices, rows and columns are given
// (talweg_pass_args), in emitted code.
#pragma once

#include "compiler/codegen/scalar_scope.h"

namespace talweg::codegen {

class PassTables {
 public:
  /// Loads what it needs of `args` where `ir` stands, which must dominate all later uses.
  PassTables(llvm::IRBuilder<>& ir, const plan::Plan& plan, llvm::Value* args);

  /// A pointer among the arguments; not loaded before it is asked for.
  [[nodiscard]] llvm::Value* pointer(Offset offset) const;
  /// A count of 64 bits among the arguments.
  [[nodiscard]] llvm::Value* count(Offset offset) const;
  /// Row `index` of a table with `columns` entries of 8 bytes a row.
  [[nodiscard]] llvm::Value* row(llvm::Value* table, llvm::Value* index, std::size_t columns) const;

  /// Starts of the streams of a tensor.
  [[nodiscard]] llvm::Value* streams_of(llvm::Value* tensor) const;
  /// i1: the tensor has no gradient in this step.
  [[nodiscard]] llvm::Value* is_left_out(llvm::Value* tensor) const;
  /// Where a tensor's loops and programs find slower values.
  [[nodiscard]] ScalarSources sources_of(llvm::Value* tensor) const;
  /// The same for one of its matrices.
  [[nodiscard]] ScalarSources sources_of_matrix(ScalarSources of_tensor, llvm::Value* matrix) const;
  /// Field of the tensor's talweg_matrix_view, i64.
  [[nodiscard]] llvm::Value* view_field(llvm::Value* tensor, std::size_t offset) const;

 private:
  llvm::IRBuilder<>& ir_;
  const plan::Plan& plan_;
  llvm::Value* args_;
  llvm::Value *pointers_, *tensor_groups_, *model_slots_, *group_slots_, *group_args_;
  llvm::Value *tensor_slots_, *matrix_slots_, *views_;
  LineSlots row_slots_;
};

/// Where a stream of a pass starts. An input may be missing where no result of this step depends on
/// it; a loop that loads it all the same is given the parameters.
llvm::Value* emit_stream_start(llvm::IRBuilder<>& ir, const plan::ElementPass& pass,
                               llvm::Value* streams, std::size_t stream);

/// for (index = first; index < end; index += step) emit_turn(index), with values of the type of
/// `first`; the builder is left behind it. Gives the branch that ends a turn.
template <class EmitTurn>
llvm::Instruction* emit_turns(llvm::IRBuilder<>& ir, llvm::Value* first, llvm::Value* end,
                              std::uint32_t step, EmitTurn emit_turn) {
  llvm::BasicBlock* before = ir.GetInsertBlock();
  llvm::Function* function = before->getParent();
  llvm::BasicBlock* turn = llvm::BasicBlock::Create(ir.getContext(), "turn", function);
  llvm::BasicBlock* done = llvm::BasicBlock::Create(ir.getContext(), "done", function);
  ir.CreateCondBr(ir.CreateICmpULT(first, end), turn, done);
  ir.SetInsertPoint(turn);
  llvm::PHINode* index = ir.CreatePHI(first->getType(), 2);
  emit_turn(index);
  llvm::Value* next = ir.CreateNUWAdd(index, llvm::ConstantInt::get(first->getType(), step));
  index->addIncoming(first, before);
  index->addIncoming(next, ir.GetInsertBlock());
  llvm::Instruction* branch = ir.CreateCondBr(ir.CreateICmpULT(next, end), turn, done);
  ir.SetInsertPoint(done);
  return branch;
}

/// for (index = begin; index < end; ++index) emit_body(index), whose arguments are 3 and 4 of
/// `function`; then a return. `emit_body` is given the block that ends a turn early.
template <class EmitBody>
void emit_index_loop(llvm::IRBuilder<>& ir, llvm::Function& function, EmitBody emit_body) {
  const auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(function.getContext(), name, &function);
  };
  llvm::BasicBlock* before = ir.GetInsertBlock();
  llvm::BasicBlock* head = block("index");
  llvm::BasicBlock* next = block("next");
  llvm::BasicBlock* done = block("done");
  llvm::Value* begin = ir.CreateZExt(function.getArg(2), ir.getInt64Ty());
  llvm::Value* end = ir.CreateZExt(function.getArg(3), ir.getInt64Ty());
  ir.CreateCondBr(ir.CreateICmpULT(begin, end), head, done);
  ir.SetInsertPoint(head);
  llvm::PHINode* index = ir.CreatePHI(ir.getInt64Ty(), 2);
  index->addIncoming(begin, before);
  emit_body(index, next);
  ir.CreateBr(next);
  ir.SetInsertPoint(next);
  llvm::Value* following = ir.CreateNUWAdd(index, ir.getInt64(1));
  index->addIncoming(following, next);
  ir.CreateCondBr(ir.CreateICmpULT(following, end), head, done);
  ir.SetInsertPoint(done);
  ir.CreateRetVoid();
}

}  // namespace talweg::codegen
