#include "tests/gpu/executors.h"

#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>

#include <stdexcept>

#include "compiler/driver/generate.h"
#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/simulator/simulator.h"

namespace talweg::gpu {

ExecutorOfPlan simulate() {
  return [](const plan::Plan& plan, const targets::Target& target,
            DeviceMemory& memory) -> std::unique_ptr<Executor> {
    llvm::LLVMContext context;
    llvm::SMDiagnostic fault;
    const auto module =
        llvm::parseAssemblyString(driver::generate_llvm_text(plan, target), fault, context);
    if (!module) throw std::runtime_error(fault.getMessage().str());
    return std::make_unique<Simulator>(*module, memory);
  };
}

ExecutorOfPlan interpret_ptx() {
  return [](const plan::Plan& plan, const targets::Target& target,
            DeviceMemory& memory) -> std::unique_ptr<Executor> {
    return std::make_unique<PtxInterpreter>(
        driver::generate(plan, target, targets::CodeKind::Assembly), memory);
  };
}

}  // namespace talweg::gpu
