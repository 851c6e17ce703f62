#include "compiler/codegen/gpu_kernel.h"

#include <llvm/IR/Dominators.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/gpu_threads.h"
#include "compiler/codegen/helper_functions.h"
#include "runtime/abi/talweg_gpu_abi.h"

namespace talweg::codegen {

namespace {

/// i1: there is no list, or the entry of `index` in it is not 0.
llvm::Value* emit_takes_part(llvm::IRBuilder<>& ir, llvm::Value* list, llvm::Value* index) {
  llvm::BasicBlock* before = ir.GetInsertBlock();
  llvm::BasicBlock* listed =
      llvm::BasicBlock::Create(ir.getContext(), "listed", before->getParent());
  llvm::BasicBlock* after = llvm::BasicBlock::Create(ir.getContext(), "known", before->getParent());
  ir.CreateCondBr(ir.CreateIsNull(list), after, listed);
  ir.SetInsertPoint(listed);
  llvm::Value* entry =
      ir.CreateLoad(ir.getInt8Ty(), ir.CreateInBoundsGEP(ir.getInt8Ty(), list, index));
  llvm::Value* is_set = ir.CreateICmpNE(entry, ir.getInt8(0));
  ir.CreateBr(after);
  ir.SetInsertPoint(after);
  llvm::PHINode* result = ir.CreatePHI(ir.getInt1Ty(), 2);
  result->addIncoming(ir.getTrue(), before);
  result->addIncoming(is_set, listed);
  return result;
}

}  // namespace

llvm::Function* add_gpu_kernel(llvm::Module& module, const std::string& name) {
  llvm::IRBuilder<> ir(module.getContext());
  auto* type = llvm::FunctionType::get(
      ir.getVoidTy(),
      {ir.getPtrTy(), ir.getInt64Ty(), ir.getInt64Ty(), ir.getPtrTy(), ir.getPtrTy()}, false);
  auto* kernel = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
  kernel->setCallingConv(llvm::CallingConv::PTX_Kernel);
  kernel->addFnAttr(llvm::Attribute::NoUnwind);
  kernel->addFnAttr("nvvm.maxntid", std::to_string(TALWEG_GPU_THREADS));
  // One block at least. Where nothing is said, ptxas spills some registers to fit in one block
  // more.
  kernel->addFnAttr("nvvm.minctasm", "1");
  return kernel;
}

llvm::BasicBlock* emit_gpu_entry(llvm::Function& kernel) {
  const auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(kernel.getContext(), name, &kernel);
  };
  llvm::IRBuilder<> ir(block("entry"));
  llvm::BasicBlock *stopped = block("stopped"), *work = block("work");
  llvm::Value* stop = ir.CreateLoad(ir.getInt32Ty(), kernel.getArg(kGpuStop));
  ir.CreateCondBr(ir.CreateICmpEQ(stop, ir.getInt32(0)), work, stopped);
  ir.SetInsertPoint(stopped);
  ir.CreateRetVoid();
  return work;
}

llvm::Function* add_gpu_function(llvm::Module& module, const std::string& name,
                                 FunctionReach reach) {
  llvm::Function* kernel = add_gpu_kernel(module, name);
  llvm::IRBuilder<> ir(emit_gpu_entry(*kernel));
  llvm::SmallVector<llvm::Type*, 4> parameters = {ir.getPtrTy(), ir.getPtrTy()};
  if (reach == FunctionReach::Range) parameters.append(2, ir.getInt32Ty());
  llvm::Function* body = add_internal_function(module, name + ".body", ir.getVoidTy(), parameters);
  const auto wide = [&](llvm::Value* number) { return ir.CreateZExt(number, ir.getInt64Ty()); };
  llvm::Value* threads = wide(emit_threads_per_block(ir));
  llvm::Value* thread = ir.CreateAdd(ir.CreateMul(wide(emit_block_of_grid(ir)), threads),
                                     wide(emit_thread_of_block(ir)));
  emit_strided_turns(
      ir, ir.CreateAdd(kernel->getArg(kGpuBegin), thread), kernel->getArg(kGpuEnd),
      ir.CreateMul(threads, wide(emit_blocks_per_grid(ir))), [&](llvm::Value* index) {
        llvm::Value* self = llvm::ConstantPointerNull::get(ir.getPtrTy());
        llvm::Value* args = kernel->getArg(kGpuArgs);
        if (reach == FunctionReach::Range) {
          llvm::Value* begin = ir.CreateTrunc(index, ir.getInt32Ty());
          ir.CreateCall(body, {self, args, begin, ir.CreateAdd(begin, ir.getInt32(1))});
          return;
        }
        emit_where(ir, emit_takes_part(ir, kernel->getArg(kGpuExtra), index), [&] {
          ir.CreateCall(body, {self, entry_address(ir, args, index, sizeof(talweg_scalar_args))});
        });
      });
  ir.CreateRetVoid();
  return body;
}

llvm::Value* emit_global_pointer(llvm::IRBuilder<>& ir, llvm::Value* pointer) {
  return ir.CreateAddrSpaceCast(pointer, ir.getPtrTy(kGlobalSpace));
}

void keep_in_registers(llvm::Function& function) {
  std::vector<llvm::AllocaInst*> variables;
  for (llvm::Instruction& instruction : function.getEntryBlock())
    if (auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction))
      if (llvm::isAllocaPromotable(variable)) variables.push_back(variable);
  if (variables.empty()) return;
  llvm::DominatorTree tree(function);
  llvm::PromoteMemToReg(variables, tree);
}

}  // namespace talweg::codegen
