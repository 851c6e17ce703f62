// Objects and assembly from LLVM modules; see machine_code.h.
#include "compiler/targets/machine_code.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Target/TargetOptions.h>

#include <mutex>

#include "compiler/base/check.h"

namespace talweg::targets {

namespace {

void initialize_generators() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeWebAssemblyTargetInfo();
    LLVMInitializeWebAssemblyTarget();
    LLVMInitializeWebAssemblyTargetMC();
    LLVMInitializeWebAssemblyAsmPrinter();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    // What libraries carry beside kernels has lines of assembly.
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64AsmParser();
  });
}

std::unique_ptr<llvm::TargetMachine> make_machine(const Processor& processor) {
  initialize_generators();
  const llvm::Triple triple(processor.triple);
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  TALWEG_CHECK(target != nullptr, error);
  llvm::TargetOptions options;
  // Contraction is decided in the graph; nothing is fused here.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  // Position-independent code, not the JIT's own model: that takes 64-bit addresses for everything.
  // Modules of WebAssembly have a memory of their own, where nothing is moved.
  const auto model = triple.isWasm() ? llvm::Reloc::Static : llvm::Reloc::PIC_;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, processor.name, processor.features, options, model,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
  TALWEG_CHECK(machine != nullptr, "LLVM has no code generator for " + processor.triple);
  return machine;
}

}  // namespace

void prepare_module(llvm::Module& module, const Processor& processor) {
  module.setTargetTriple(llvm::Triple(processor.triple));
  module.setDataLayout(make_machine(processor)->createDataLayout());
}

std::string generate_code(llvm::Module& module, const Processor& processor, CodeKind kind) {
  const std::unique_ptr<llvm::TargetMachine> machine = make_machine(processor);
  llvm::SmallVector<char, 0> code;
  llvm::raw_svector_ostream stream(code);
  llvm::legacy::PassManager passes;
  const auto file_kind = kind == CodeKind::Object ? llvm::CodeGenFileType::ObjectFile
                                                  : llvm::CodeGenFileType::AssemblyFile;
  const bool failed = machine->addPassesToEmitFile(passes, stream, nullptr, file_kind);
  TALWEG_CHECK(!failed, "LLVM cannot write code for " + processor.triple);
  passes.run(module);
  return {code.begin(), code.end()};
}

std::string_view generator_version() { return LLVM_VERSION_STRING; }

}  // namespace talweg::targets
