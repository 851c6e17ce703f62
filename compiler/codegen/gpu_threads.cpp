#include "compiler/codegen/gpu_threads.h"

#include <llvm/IR/IntrinsicsNVPTX.h>

namespace talweg::codegen {

namespace {

llvm::Value* emit_register(llvm::IRBuilder<>& ir, llvm::Intrinsic::ID id) {
  return ir.CreateIntrinsic(id, llvm::ArrayRef<llvm::Type*>(), llvm::ArrayRef<llvm::Value*>());
}

}  // namespace

llvm::Value* emit_thread_of_block(llvm::IRBuilder<>& ir) {
  return emit_register(ir, llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x);
}

llvm::Value* emit_block_of_grid(llvm::IRBuilder<>& ir) {
  return emit_register(ir, llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x);
}

llvm::Value* emit_threads_per_block(llvm::IRBuilder<>& ir) {
  return emit_register(ir, llvm::Intrinsic::nvvm_read_ptx_sreg_ntid_x);
}

llvm::Value* emit_blocks_per_grid(llvm::IRBuilder<>& ir) {
  return emit_register(ir, llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_x);
}

void emit_block_barrier(llvm::IRBuilder<>& ir) {
  ir.CreateIntrinsic(llvm::Intrinsic::nvvm_barrier_cta_sync_aligned_all,
                     llvm::ArrayRef<llvm::Type*>(), {ir.getInt32(0)});
}

llvm::Value* emit_exchange(llvm::IRBuilder<>& ir, llvm::Value* value, std::uint32_t mask) {
  constexpr std::uint32_t kAllThreads = 0xffffffff, kWholeWarp = 31;
  llvm::Type* halves_type = llvm::FixedVectorType::get(ir.getInt32Ty(), 2);
  llvm::Value* halves = ir.CreateBitCast(value, halves_type);
  llvm::Value* result = llvm::PoisonValue::get(halves_type);
  for (std::uint64_t i = 0; i < 2; ++i) {
    llvm::Value* half =
        ir.CreateIntrinsic(llvm::Intrinsic::nvvm_shfl_sync_bfly_i32, {},
                           {ir.getInt32(kAllThreads), ir.CreateExtractElement(halves, i),
                            ir.getInt32(mask), ir.getInt32(kWholeWarp)});
    result = ir.CreateInsertElement(result, half, i);
  }
  return ir.CreateBitCast(result, ir.getDoubleTy());
}

void keep_rolled(llvm::Instruction* branch) {
  llvm::LLVMContext& context = branch->getContext();
  llvm::MDNode* disable =
      llvm::MDNode::get(context, llvm::MDString::get(context, "llvm.loop.unroll.disable"));
  llvm::MDNode* loop = llvm::MDNode::getDistinct(context, {nullptr, disable});
  loop->replaceOperandWith(0, loop);
  branch->setMetadata(llvm::LLVMContext::MD_loop, loop);
}

}  // namespace talweg::codegen
