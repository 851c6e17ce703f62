// Address spaces stay: code generation for x86-64 and AArch64 takes all that we use for one.
#include "tests/gpu/simulator/retarget.h"

#include <llvm/IR/DebugInfo.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler/targets/target.h"

namespace talweg::gpu::simulator {

namespace {

Space space_of(const llvm::GlobalVariable& variable) {
  switch (variable.getAddressSpace()) {
    case 0:
    case 1:
      return kGlobal;
    case 3:
      return kShared;
    case 4:
      return kConstant;
    default:
      throw Fault(variable.getName().str() + ": the simulator does not know its address space");
  }
}

bool begins_with_zero(const llvm::GlobalVariable& variable) {
  const llvm::Constant* value = variable.getInitializer();
  return value->isNullValue() || llvm::isa<llvm::UndefValue>(value);
}

void place_variable(llvm::GlobalVariable& variable, Memory& memory) {
  const llvm::Module& module = *variable.getParent();
  const llvm::DataLayout& layout = module.getDataLayout();
  Variable placed;
  placed.name = variable.getName().str();
  placed.bytes = layout.getTypeAllocSize(variable.getValueType()).getFixedValue();
  placed.alignment =
      variable.getAlign().value_or(layout.getPrefTypeAlign(variable.getValueType())).value();
  placed.space = space_of(variable);
  placed.is_constant = variable.isConstant() || placed.space == kConstant;
  memory.add(placed);
  auto* address =
      llvm::ConstantInt::get(llvm::Type::getInt64Ty(module.getContext()),
                             reinterpret_cast<std::uintptr_t>(memory.variables().back().memory));
  variable.replaceAllUsesWith(llvm::ConstantExpr::getIntToPtr(address, variable.getType()));
}

/// "256" or "16,16": how many threads a block may have.
std::uint32_t most_threads(const llvm::Function& kernel) {
  for (const char* name : {"nvvm.reqntid", "nvvm.maxntid"}) {
    llvm::StringRef text = kernel.getFnAttribute(name).getValueAsString();
    if (text.empty()) continue;
    std::uint32_t product = 1;
    while (!text.empty()) {
      std::uint32_t factor = 0;
      const auto [first, rest] = text.split(',');
      if (first.trim().getAsInteger(10, factor))
        throw Fault(kernel.getName().str() + ": " + name + " is not a number");
      product *= factor;
      text = rest;
    }
    return product;
  }
  return 0;
}

llvm::Value* as_parameter(llvm::IRBuilderBase& ir, llvm::Value* bits,
                          const llvm::Argument& argument) {
  const llvm::DataLayout& layout = argument.getParent()->getParent()->getDataLayout();
  llvm::Type* type = argument.getType();
  if (layout.getTypeAllocSize(type) != 8 || type->isAggregateType())
    throw Fault(argument.getParent()->getName().str() + ": a parameter has not 8 bytes");
  return type->isPointerTy() ? ir.CreateIntToPtr(bits, type) : ir.CreateBitCast(bits, type);
}

Kernel make_entry(llvm::Function& kernel) {
  llvm::LLVMContext& context = kernel.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false);
  auto* entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                       entry_symbol(kernel.getName().str()), kernel.getParent());
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context, "entry", entry));
  std::vector<llvm::Value*> arguments;
  for (const llvm::Argument& argument : kernel.args()) {
    llvm::Value* place =
        ir.CreateConstGEP1_32(ir.getInt64Ty(), entry->getArg(0), argument.getArgNo());
    arguments.push_back(as_parameter(ir, ir.CreateLoad(ir.getInt64Ty(), place), argument));
  }
  ir.CreateCall(&kernel, arguments);
  ir.CreateRetVoid();
  kernel.setCallingConv(llvm::CallingConv::C);
  return {kernel.getName().str(), kernel.arg_size(), most_threads(kernel)};
}

void check_layout(llvm::Type* type, const llvm::DataLayout& device, const llvm::DataLayout& host) {
  if (!type->isSized() || type->isScalableTy()) return;
  bool is_same = device.getTypeAllocSize(type) == host.getTypeAllocSize(type);
  if (auto* structure = llvm::dyn_cast<llvm::StructType>(type)) {
    const llvm::StructLayout* ours = host.getStructLayout(structure);
    const llvm::StructLayout* theirs = device.getStructLayout(structure);
    for (unsigned i = 0; i < structure->getNumElements(); ++i)
      is_same = is_same && ours->getElementOffset(i) == theirs->getElementOffset(i);
  }
  if (!is_same) {
    std::string text;
    llvm::raw_string_ostream(text) << *type;
    throw Fault("on a device " + text + " lies in memory in another way than here");
  }
  for (llvm::Type* part : type->subtypes())
    if (!type->isFunctionTy()) check_layout(part, device, host);
}

/// Types by which addresses are computed, and of what lies in memory.
void check_layouts(const llvm::Module& module, const llvm::DataLayout& device,
                   const llvm::DataLayout& host) {
  for (const llvm::GlobalVariable& variable : module.globals())
    check_layout(variable.getValueType(), device, host);
  for (const llvm::Function& function : module) {
    for (const llvm::Instruction& instruction : llvm::instructions(function)) {
      if (const auto* address = llvm::dyn_cast<llvm::GetElementPtrInst>(&instruction))
        check_layout(address->getSourceElementType(), device, host);
      if (const auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction))
        check_layout(variable->getAllocatedType(), device, host);
      if (instruction.mayReadOrWriteMemory()) {
        check_layout(instruction.getType(), device, host);
        for (const llvm::Use& operand : instruction.operands())
          check_layout(operand->getType(), device, host);
      }
    }
  }
}

}  // namespace

std::string entry_symbol(const std::string& kernel) { return "talweg_simulator_entry:" + kernel; }
std::string initial_symbol(const std::string& variable) {
  return "talweg_simulator_initial:" + variable;
}

void place_variables(llvm::Module& module, Memory& memory) {
  // Lists for the linker, of no use here.
  for (const char* name : {"llvm.used", "llvm.compiler.used"})
    if (llvm::GlobalVariable* list = module.getGlobalVariable(name)) list->eraseFromParent();
  std::vector<llvm::GlobalVariable*> variables;
  for (llvm::GlobalVariable& variable : module.globals()) variables.push_back(&variable);
  for (llvm::GlobalVariable* variable : variables) {
    if (variable->isDeclaration()) continue;
    place_variable(*variable, memory);
    if (variable->getAddressSpace() != 3 && !begins_with_zero(*variable))
      new llvm::GlobalVariable(module, variable->getValueType(), true,
                               llvm::GlobalValue::ExternalLinkage, variable->getInitializer(),
                               initial_symbol(variable->getName().str()));
  }
  for (llvm::GlobalVariable* variable : variables) variable->eraseFromParent();
}

std::vector<Kernel> make_entries(llvm::Module& module) {
  std::vector<llvm::Function*> functions;
  for (llvm::Function& function : module)
    if (!function.isDeclaration()) functions.push_back(&function);
  std::vector<Kernel> kernels;
  for (llvm::Function* function : functions) {
    if (function->getCallingConv() == llvm::CallingConv::PTX_Kernel)
      kernels.push_back(make_entry(*function));
    function->setLinkage(llvm::GlobalValue::InternalLinkage);
    function->setVisibility(llvm::GlobalValue::DefaultVisibility);
    function->setComdat(nullptr);
  }
  return kernels;
}

void retarget(llvm::Module& module) {
  const targets::Target* host = targets::host_target();
  if (host == nullptr) throw Fault("there is no code generator for this machine");
  const llvm::DataLayout device = module.getDataLayout();
  host->prepare(module);
  check_layouts(module, device, module.getDataLayout());
  llvm::StripDebugInfo(module);
  for (llvm::Function& function : module) {
    if (function.isIntrinsic()) continue;
    if (function.getCallingConv() != llvm::CallingConv::C)
      function.setCallingConv(llvm::CallingConv::C);
    // Of another processor, or no longer true: code that checks accesses has effects.
    function.setAttributes(function.getAttributes().removeFnAttributes(module.getContext()));
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      if (call == nullptr || call->getIntrinsicID() != llvm::Intrinsic::not_intrinsic) continue;
      call->setCallingConv(llvm::CallingConv::C);
      call->setTailCallKind(llvm::CallInst::TCK_None);
      call->setAttributes(call->getAttributes().removeFnAttributes(module.getContext()));
    }
  }
}

}  // namespace talweg::gpu::simulator
