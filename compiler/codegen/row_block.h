// A block of rows of a matrix (talweg_pass_args.row_blocks) in emitted code: what a pass over lines
// works on.
#pragma once

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/choose_version.h"
#include "compiler/codegen/matrix_layout.h"

namespace talweg::codegen {

struct RowBlock {
  MatrixLayout layout;  // of its tensor
  llvm::Value *tensor, *matrix, *first_row, *row_count;
  llvm::Value* columns;  // place of the block's first column among partials
  llvm::Value* streams;

  /// Where each stream has an element of the tensor; null for those that are not read.
  [[nodiscard]] std::vector<llvm::Value*> starts_at(llvm::IRBuilder<>& ir, const plan::Plan& plan,
                                                    const plan::ElementPass& pass,
                                                    llvm::Value* element) const;
};

/// Emits emit_rows(block, version, sources) for block `index` and the version that it is to run,
/// then a branch to `next`, which is where blocks of tensors that are left out go at once. The
/// builder is left in a block that is never reached.
template <class EmitRows>
void emit_row_block(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
                    const PassTables& tables, HelperFunctions& helpers, llvm::Value* index,
                    llvm::BasicBlock* next, EmitRows emit_rows) {
  llvm::Value* entry = entry_address(ir, tables.pointer(TALWEG_FIELD(talweg_pass_args, row_blocks)),
                                     index, sizeof(talweg_line_chunk));
  const auto load32 = [&](std::size_t offset) {
    return ir.CreateZExt(load_field(ir, ir.getInt32Ty(), entry, offset), ir.getInt64Ty());
  };
  const auto load64 = [&](std::size_t offset) {
    return load_field(ir, ir.getInt64Ty(), entry, offset);
  };
  llvm::Value* tensor = load32(offsetof(talweg_line_chunk, tensor_index));
  llvm::BasicBlock* present =
      llvm::BasicBlock::Create(ir.getContext(), "present", ir.GetInsertBlock()->getParent());
  ir.CreateCondBr(tables.is_left_out(tensor), next, present);
  ir.SetInsertPoint(present);
  const auto view = [&](std::size_t offset) { return tables.view_field(tensor, offset); };
  RowBlock block{{ir, tables, tensor}, tensor, {}, {}, {}, {}, {}};
  block.matrix = load64(offsetof(talweg_line_chunk, matrix));
  block.first_row = load64(offsetof(talweg_line_chunk, first));
  block.row_count = load32(offsetof(talweg_line_chunk, count));
  block.columns = ir.CreateAdd(
      view(offsetof(talweg_matrix_view, first_block_col)),
      ir.CreateMul(ir.CreateSub(index, view(offsetof(talweg_matrix_view, first_block))),
                   block.layout.cols()));
  block.streams = tables.streams_of(tensor);
  const ScalarSources sources = tables.sources_of_matrix(tables.sources_of(tensor), block.matrix);
  VersionChoice choice(ir, plan, pass, helpers, sources, [&](const plan::LoopVersion& version) {
    emit_rows(block, version, sources);
  });
  if (plan.routes.size() == 1) return choice.emit_route(0, next);
  llvm::Value* routes = tables.pointer(TALWEG_FIELD(talweg_pass_args, tensor_routes));
  choice.emit(
      ir.CreateLoad(ir.getInt32Ty(), entry_address(ir, routes, tensor, sizeof(std::uint32_t))),
      next);
}

}  // namespace talweg::codegen
