// Runs code generation on a plan; see generate.h.
#include "compiler/driver/generate.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler/base/check.h"
#include "compiler/codegen/emit_plan.h"

namespace talweg::driver {

void fill_module(llvm::Module& module, const plan::Plan& plan, const targets::Target& target) {
  target.prepare(module);
  codegen::emit_plan(module, plan, target.shape(), target.modes());
  std::string faults;
  llvm::raw_string_ostream stream(faults);
  TALWEG_CHECK(!llvm::verifyModule(module, &stream), faults);
}

std::string generate(const plan::Plan& plan, const targets::Target& target,
                     targets::CodeKind kind) {
  llvm::LLVMContext context;
  llvm::Module module(plan.graph.name, context);
  fill_module(module, plan, target);
  return target.generate(module, kind);
}

std::string generate_llvm_text(const plan::Plan& plan, const targets::Target& target) {
  llvm::LLVMContext context;
  llvm::Module module(plan.graph.name, context);
  fill_module(module, plan, target);
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

}  // namespace talweg::driver
