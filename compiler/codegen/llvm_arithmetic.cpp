// Table lookups of elementary functions; see llvm_arithmetic.h.
#include "compiler/codegen/llvm_arithmetic.h"

namespace talweg::codegen {

namespace {

/// The constant array with these entries: one of each a module.
llvm::GlobalVariable* table_global(llvm::Module& module, llvm::ArrayRef<std::uint64_t> table) {
  llvm::Constant* content = llvm::ConstantDataArray::get(module.getContext(), table);
  for (llvm::GlobalVariable& global : module.globals())
    if (global.hasInitializer() && global.getInitializer() == content) return &global;
  auto* global =
      new llvm::GlobalVariable(module, content->getType(), true, llvm::GlobalValue::InternalLinkage,
                               content, "talweg.table");
  global->setAlignment(llvm::Align(8));
  return global;
}

}  // namespace

llvm::Value* LlvmArithmetic::emit_lookup(llvm::ArrayRef<std::uint64_t> table, llvm::Value* index) {
  llvm::GlobalVariable* global = table_global(helpers_.module(), table);
  llvm::Value* result = llvm::PoisonValue::get(lanes_.bits_type(ComputeType::F64));
  for (std::uint32_t i = 0; i < lanes_.width(); ++i) {
    llvm::Value* entry = ir_.CreateInBoundsGEP(ir_.getInt64Ty(), global, lanes_.lane(index, i));
    result = lanes_.with_lane(result, i, ir_.CreateLoad(ir_.getInt64Ty(), entry));
  }
  return result;
}

}  // namespace talweg::codegen
