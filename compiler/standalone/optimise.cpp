// Alone in a file: the headers of LLVM's passes are slow to compile.
#include "compiler/standalone/optimise.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Transforms/IPO/ConstantMerge.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>

namespace talweg::standalone {

void shrink(llvm::Module& module) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  passes.addPass(llvm::GlobalDCEPass());
  passes.addPass(llvm::ConstantMergePass());  // texts and tables that all variants have
  passes.run(module, modules);
}

void expand_overflow_tests(llvm::Module& module) {
  llvm::Function* test = module.getFunction("llvm.umul.with.overflow.i64");
  if (test == nullptr) return;
  for (llvm::User* user : llvm::make_early_inc_range(test->users())) {
    auto* call = llvm::cast<llvm::CallInst>(user);
    llvm::IRBuilder<> ir(call);
    llvm::Value* a = call->getArgOperand(0);
    llvm::Value* b = call->getArgOperand(1);
    llvm::Value* product = ir.CreateMul(a, b);
    llvm::Value* is_zero = ir.CreateIsNull(a);
    llvm::Value* divisor = ir.CreateSelect(is_zero, ir.getInt64(1), a);
    llvm::Value* differs = ir.CreateICmpNE(ir.CreateUDiv(product, divisor), b);
    llvm::Value* overflows = ir.CreateAnd(ir.CreateNot(is_zero), differs);
    llvm::Value* both = ir.CreateInsertValue(llvm::PoisonValue::get(call->getType()), product, 0);
    call->replaceAllUsesWith(ir.CreateInsertValue(both, overflows, 1));
    call->eraseFromParent();
  }
}

}  // namespace talweg::standalone
