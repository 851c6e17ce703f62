#include "tests/gpu/simulator/instrument.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>

#include <vector>

namespace talweg::gpu::simulator {

namespace {

std::uint8_t spaces_of(const llvm::Value& pointer, const llvm::Instruction& instruction) {
  switch (pointer.getType()->getPointerAddressSpace()) {
    case 0:
      return kGlobal | kShared | kConstant | kLocal;
    case 1:
      return kGlobal;
    case 3:
      return kShared;
    case 4:
      return kConstant;
    case 5:
      return kLocal;
    default:
      throw Fault("the simulator does not know this address space, " +
                  instruction_text(instruction));
  }
}

class Instrumenter {
 public:
  Instrumenter(llvm::Module& module, Hooks& hooks, Sites& sites)
      : layout_(module.getDataLayout()), hooks_(hooks), sites_(sites) {}

  void instrument(llvm::Instruction& instruction) {
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) {
      // A volatile access is a relaxed one in PTX.
      check(instruction, *load->getPointerOperand(), load->getType(), load->getAlign(),
            load->isSimple() ? AccessKind::Read : AccessKind::AtomicRead);
    } else if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) {
      check(instruction, *store->getPointerOperand(), store->getValueOperand()->getType(),
            store->getAlign(), store->isSimple() ? AccessKind::Write : AccessKind::AtomicWrite);
    } else if (auto* change = llvm::dyn_cast<llvm::AtomicRMWInst>(&instruction)) {
      check(instruction, *change->getPointerOperand(), change->getType(), change->getAlign(),
            AccessKind::AtomicWrite);
    } else if (auto* exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(&instruction)) {
      check(instruction, *exchange->getPointerOperand(), exchange->getNewValOperand()->getType(),
            exchange->getAlign(), AccessKind::AtomicWrite);
    } else if (auto* memory = llvm::dyn_cast<llvm::MemIntrinsic>(&instruction)) {
      check_range(*memory, *memory->getRawDest(), memory->getDestAlign(), AccessKind::Write);
      if (auto* copy = llvm::dyn_cast<llvm::MemTransferInst>(&instruction))
        check_range(*memory, *copy->getRawSource(), copy->getSourceAlign(), AccessKind::Read);
    }
  }

 private:
  void check(llvm::Instruction& instruction, llvm::Value& pointer, llvm::Type* type,
             llvm::Align alignment, AccessKind kind) {
    AccessForm form;
    form.bytes = layout_.getTypeStoreSize(type).getFixedValue();
    form.alignment = alignment.value();
    form.kind = kind;
    form.spaces = spaces_of(pointer, instruction);
    if (is_known_to_be_right(pointer, form)) return;
    llvm::IRBuilder<> ir(&instruction);
    hooks_.emit_access(ir, &pointer, ir.getInt64(form.bytes), sites_.add(instruction, form));
  }

  void check_range(llvm::MemIntrinsic& instruction, llvm::Value& pointer,
                   llvm::MaybeAlign alignment, AccessKind kind) {
    AccessForm form;
    form.alignment = alignment.valueOrOne().value();
    form.kind = kind;
    form.spaces = spaces_of(pointer, instruction);
    llvm::IRBuilder<> ir(&instruction);
    hooks_.emit_access(ir, &pointer, instruction.getLength(), sites_.add(instruction, form));
  }

  /// A variable on the stack, at a place that is known.
  [[nodiscard]] bool is_known_to_be_right(llvm::Value& pointer, const AccessForm& form) const {
    llvm::APInt offset(layout_.getIndexTypeSizeInBits(pointer.getType()), 0);
    const auto* variable = llvm::dyn_cast<llvm::AllocaInst>(
        pointer.stripAndAccumulateConstantOffsets(layout_, offset, true));
    if (variable == nullptr || offset.isNegative()) return false;
    const auto size = variable->getAllocationSize(layout_);
    if (!size || size->isScalable()) return false;
    const std::uint64_t first = offset.getZExtValue();
    return first % form.alignment == 0 && variable->getAlign().value() >= form.alignment &&
           first <= size->getFixedValue() && form.bytes <= size->getFixedValue() - first;
  }

  const llvm::DataLayout& layout_;
  Hooks& hooks_;
  Sites& sites_;
};

}  // namespace

void instrument_accesses(llvm::Module& module, Hooks& hooks, Sites& sites) {
  Instrumenter instrumenter(module, hooks, sites);
  std::vector<llvm::Instruction*> instructions;
  for (llvm::Function& function : module)
    for (llvm::Instruction& instruction : llvm::instructions(function))
      if (instruction.mayReadOrWriteMemory()) instructions.push_back(&instruction);
  for (llvm::Instruction* instruction : instructions) instrumenter.instrument(*instruction);
}

}  // namespace talweg::gpu::simulator
