// AArch64 targets; see aarch64.h.
#include "compiler/targets/aarch64.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsAArch64.h>

#include <array>

#include "compiler/targets/machine_code.h"

namespace talweg::targets {

namespace {

/// The FPCR register; all zeros are round to nearest, subnormals kept, no traps.
class FpcrModes final : public codegen::FloatModes {
 public:
  llvm::Value* emit_enter(llvm::IRBuilderBase& ir) const override {
    llvm::Value* saved = ir.CreateIntrinsic(ir.getInt64Ty(), llvm::Intrinsic::aarch64_get_fpcr, {});
    emit_unless_default(ir, saved, ir.getInt64(0));
    return saved;
  }
  void emit_leave(llvm::IRBuilderBase& ir, llvm::Value* saved) const override {
    emit_unless_default(ir, saved, saved);
  }

 private:
  /// Writing the register waits for all arithmetic in flight; nearly every caller has zeros.
  static void emit_unless_default(llvm::IRBuilderBase& ir, llvm::Value* saved, llvm::Value* value) {
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    llvm::BasicBlock* change = llvm::BasicBlock::Create(ir.getContext(), "change", function);
    llvm::BasicBlock* done = llvm::BasicBlock::Create(ir.getContext(), "modes", function);
    ir.CreateCondBr(ir.CreateICmpEQ(saved, ir.getInt64(0)), done, change);
    ir.SetInsertPoint(change);
    ir.CreateIntrinsic(ir.getVoidTy(), llvm::Intrinsic::aarch64_set_fpcr, {value});
    ir.CreateBr(done);
    ir.SetInsertPoint(done);
  }
};

class AArch64Target final : public Target {
 public:
  [[nodiscard]] std::string_view name() const override { return "aarch64"; }
  [[nodiscard]] const codegen::MachineShape& shape() const override { return shape_; }
  [[nodiscard]] const codegen::FloatModes& modes() const override { return modes_; }
  [[nodiscard]] bool runs_here() const override {
#if defined(__aarch64__)
    return true;
#else
    return false;
#endif
  }
  [[nodiscard]] std::string processor() const override { return "generic"; }
  void prepare(llvm::Module& module) const override { prepare_module(module, machine()); }
  std::string generate(llvm::Module& module, CodeKind kind) const override {
    return generate_code(module, machine(), kind);
  }

 private:
  [[nodiscard]] Processor machine() const { return {"aarch64-unknown-linux-gnu", processor(), ""}; }

  codegen::MachineShape shape_{.vector_bits = 128, .has_fma = true, .vector_registers = 32};
  FpcrModes modes_;
};

}  // namespace

std::span<const Target* const> aarch64_targets() {
  static const AArch64Target neon;
  static const std::array<const Target*, 1> all{&neon};
  return all;
}

}  // namespace talweg::targets
