#include "tests/gpu/simulator/exactness.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Operator.h>

#include <string>

#include "tests/gpu/simulator/sites.h"

namespace talweg::gpu::simulator {

namespace {

[[noreturn]] void refuse(const llvm::Instruction& instruction, const char* why) {
  throw Fault(std::string(why) + ", " + instruction_text(instruction));
}

[[noreturn]] void refuse(const llvm::GlobalValue& value, const char* why) {
  throw Fault(value.getName().str() + ": " + why);
}

void check_instruction(const llvm::Instruction& instruction) {
  if (instruction.getOpcode() == llvm::Instruction::FRem)
    refuse(instruction, "a remainder is not computed exactly on a device");
  if (llvm::isa<llvm::FPMathOperator>(instruction)) {
    const llvm::FastMathFlags flags = instruction.getFastMathFlags();
    if (flags.allowContract() || flags.allowReassoc() || flags.allowReciprocal() ||
        flags.approxFunc())
      refuse(instruction, "arithmetic that may be replaced by other arithmetic");
    if (instruction.getMetadata(llvm::LLVMContext::MD_fpmath) != nullptr)
      refuse(instruction, "arithmetic that may be inexact");
  }
  constexpr unsigned kShared = 3;
  const auto* change = llvm::dyn_cast<llvm::AtomicRMWInst>(&instruction);
  if (change != nullptr && change->getOperation() == llvm::AtomicRMWInst::FAdd &&
      change->getType()->isFloatTy() && change->getPointerAddressSpace() != kShared)
    refuse(instruction, "atomic sums of float flush subnormal numbers but in shared memory");
  const auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction);
  if (call == nullptr) return;
  if (call->isInlineAsm()) refuse(instruction, "the simulator does not know inline assembly");
  if (!llvm::isa<llvm::CallInst>(call)) refuse(instruction, "the simulator has no exceptions");
}

void check_function(const llvm::Function& function) {
  if (function.isDeclaration()) {
    if (!function.isIntrinsic() && !function.use_empty())
      refuse(function, "a function that the module does not define");
    return;
  }
  for (const char* name : {"denormal-fp-math", "denormal-fp-math-f32"}) {
    const llvm::StringRef mode = function.getFnAttribute(name).getValueAsString();
    if (!mode.empty() && mode != "ieee,ieee" && mode != "ieee")
      refuse(function, "subnormal numbers are flushed");
  }
  for (const char* name : {"unsafe-fp-math", "approx-func-fp-math", "nvptx-f32ftz"})
    if (function.getFnAttribute(name).getValueAsBool())
      refuse(function, "an attribute allows other arithmetic");
  for (const llvm::Argument& argument : function.args())
    if (argument.hasPassPointeeByValueCopyAttr() &&
        (!argument.hasByValAttr() || function.getCallingConv() == llvm::CallingConv::PTX_Kernel))
      refuse(function, "the simulator does not know parameters in memory of their own");
  for (const llvm::Instruction& instruction : llvm::instructions(function))
    check_instruction(instruction);
}

}  // namespace

void check_exactness(const llvm::Module& module) {
  for (const llvm::Function& function : module) check_function(function);
  for (const llvm::GlobalVariable& variable : module.globals())
    if (variable.isDeclaration() && !variable.use_empty())
      refuse(variable, "a variable that the module does not define");
  if (!module.alias_empty()) refuse(*module.alias_begin(), "the simulator does not know aliases");
  if (!module.ifunc_empty()) refuse(*module.ifunc_begin(), "the simulator does not know these");
  if (!module.getModuleInlineAsm().empty())
    throw Fault("the simulator does not know inline assembly");
}

}  // namespace talweg::gpu::simulator
