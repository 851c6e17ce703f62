// x86-64 targets. v2 is the baseline: older levels turn floor and round into library calls. What is
// called v2, v3 and v4 is defined by the x86-64 psABI; LLVM knows the levels as processor names.
#include "compiler/targets/x86.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/TargetParser/Host.h>

#include <array>

#include "compiler/targets/machine_code.h"

namespace talweg::targets {

namespace {

/// The MXCSR register: all exceptions masked, round to nearest, subnormals kept.
constexpr std::uint32_t kDefaultMxcsr = 0x1f80;
/// All of it but the flags of exceptions that have happened.
constexpr std::uint32_t kMxcsrModes = 0xffc0;

/// Nearly every caller has the default modes: then the register is only read. Writing it would wait
/// for all arithmetic in flight, some 100 ns a call.
class MxcsrModes final : public codegen::FloatModes {
 public:
  llvm::Value* emit_enter(llvm::IRBuilderBase& ir) const override {
    llvm::AllocaInst* saved = ir.CreateAlloca(ir.getInt32Ty());
    llvm::AllocaInst* ours = ir.CreateAlloca(ir.getInt32Ty());
    ir.CreateIntrinsic(ir.getVoidTy(), llvm::Intrinsic::x86_sse_stmxcsr, {saved});
    emit_unless_default(ir, saved, [&] {
      ir.CreateStore(ir.getInt32(kDefaultMxcsr), ours);
      ir.CreateIntrinsic(ir.getVoidTy(), llvm::Intrinsic::x86_sse_ldmxcsr, {ours});
    });
    return saved;
  }
  void emit_leave(llvm::IRBuilderBase& ir, llvm::Value* saved) const override {
    emit_unless_default(ir, saved, [&] {
      ir.CreateIntrinsic(ir.getVoidTy(), llvm::Intrinsic::x86_sse_ldmxcsr, {saved});
    });
  }

 private:
  template <class EmitChange>
  static void emit_unless_default(llvm::IRBuilderBase& ir, llvm::Value* saved,
                                  EmitChange emit_change) {
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    llvm::BasicBlock* change = llvm::BasicBlock::Create(ir.getContext(), "change", function);
    llvm::BasicBlock* done = llvm::BasicBlock::Create(ir.getContext(), "modes", function);
    llvm::Value* modes =
        ir.CreateAnd(ir.CreateLoad(ir.getInt32Ty(), saved), ir.getInt32(kMxcsrModes));
    ir.CreateCondBr(ir.CreateICmpEQ(modes, ir.getInt32(kDefaultMxcsr)), done, change);
    ir.SetInsertPoint(change);
    emit_change();
    ir.CreateBr(done);
    ir.SetInsertPoint(done);
  }
};

/// AVX-512 on whole registers.
class Avx512Float32Vectors final : public codegen::Float32Vectors {
 public:
  [[nodiscard]] std::uint32_t width() const override { return kLanes; }

  llvm::Value* emit_root_estimate(llvm::IRBuilderBase& ir, llvm::Value* x) const override {
    return ir.CreateIntrinsic(
        x->getType(), llvm::Intrinsic::x86_avx512_rsqrt14_ps_512,
        {x, llvm::Constant::getNullValue(x->getType()), ir.getInt16(kAllLanes)});
  }
  llvm::Value* emit_is_own_root(llvm::IRBuilderBase& ir, llvm::Value* x) const override {
    return emit_class(ir, x, kPlusZero | kMinusZero | kPlusInfinity);
  }
  llvm::Value* emit_is_subnormal(llvm::IRBuilderBase& ir, llvm::Value* x) const override {
    return emit_class(ir, x, kSubnormal);
  }

 private:
  static constexpr std::uint32_t kLanes = 16;
  static constexpr std::uint16_t kAllLanes = 0xffff;
  // Classes of VFPCLASSPS.
  static constexpr std::uint32_t kPlusZero = 0x02, kMinusZero = 0x04, kPlusInfinity = 0x08,
                                 kSubnormal = 0x20;

  static llvm::Value* emit_class(llvm::IRBuilderBase& ir, llvm::Value* x, std::uint32_t classes) {
    llvm::Type* truths = llvm::FixedVectorType::get(ir.getInt1Ty(), kLanes);
    return ir.CreateIntrinsic(truths, llvm::Intrinsic::x86_avx512_fpclass_ps_512,
                              {x, ir.getInt32(classes)});
  }
};

/// Features that a level adds to the one below, as LLVM names them.
constexpr std::array<const char*, 6> kV2Features{"sse3",   "ssse3",  "sse4.1",
                                                 "sse4.2", "popcnt", "cx16"};
constexpr std::array<const char*, 8> kV3Features{"avx",  "avx2", "bmi",   "bmi2",
                                                 "f16c", "fma",  "lzcnt", "movbe"};
constexpr std::array<const char*, 5> kV4Features{"avx512f", "avx512bw", "avx512cd", "avx512dq",
                                                 "avx512vl"};

class X86Target final : public Target {
 public:
  X86Target(std::string_view name, int level, codegen::MachineShape shape)
      : name_(name), level_(level), shape_(shape) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] const codegen::MachineShape& shape() const override { return shape_; }
  [[nodiscard]] const codegen::FloatModes& modes() const override { return modes_; }
  [[nodiscard]] bool runs_here() const override;
  [[nodiscard]] std::string processor() const override {
    return "x86-64-v" + std::to_string(level_);
  }
  void prepare(llvm::Module& module) const override { prepare_module(module, machine()); }
  std::string generate(llvm::Module& module, CodeKind kind) const override {
    return generate_code(module, machine(), kind);
  }

 private:
  [[nodiscard]] Processor machine() const { return {"x86_64-unknown-linux-gnu", processor(), ""}; }

  std::string_view name_;
  int level_;
  codegen::MachineShape shape_;
  MxcsrModes modes_;
};

bool X86Target::runs_here() const {
#if defined(__x86_64__)
  const auto present = llvm::sys::getHostCPUFeatures();
  const auto has_all = [&](const auto& features) {
    for (const char* feature : features)
      if (!present.lookup(feature)) return false;
    return true;
  };
  return has_all(kV2Features) && (level_ < 3 || has_all(kV3Features)) &&
         (level_ < 4 || has_all(kV4Features));
#else
  return false;
#endif
}

}  // namespace

std::span<const Target* const> x86_targets() {
  using codegen::TailStyle;
  static const X86Target scalar("scalar", 2, {.vector_bits = 0});
  static const X86Target v2("x86-64-v2", 2, {.vector_bits = 128});
  static const X86Target v3("x86-64-v3", 3,
                            {.vector_bits = 256, .has_fma = true, .tail = TailStyle::Masked});
  static const Avx512Float32Vectors avx512;
  static const X86Target v4("x86-64-v4", 4,
                            {.vector_bits = 512,
                             .has_fma = true,
                             .tail = TailStyle::Masked,
                             .vector_registers = 32,
                             .float32_vectors = &avx512});
  static const std::array<const Target*, 4> all{&scalar, &v2, &v3, &v4};
  return all;
}

}  // namespace talweg::targets
