// See constants.h.
#include "compiler/standalone/constants.h"

namespace talweg::standalone {

llvm::Constant* Constants::text(const char* value) {
  if (value == nullptr) return null();
  auto* made = variable(llvm::ConstantDataArray::getString(context_, value), "text");
  made->setAlignment(llvm::Align(1));
  return made;
}

llvm::Constant* Constants::table(const std::vector<llvm::Constant*>& entries) {
  if (entries.empty()) return null();
  auto* type = llvm::ArrayType::get(entries.front()->getType(), entries.size());
  return variable(llvm::ConstantArray::get(type, entries), "table");
}

llvm::GlobalVariable* Constants::variable(llvm::Constant* value, std::string_view name) {
  auto* made =
      new llvm::GlobalVariable(module_, value->getType(), true, llvm::GlobalValue::PrivateLinkage,
                               value, llvm::StringRef(name.data(), name.size()));
  made->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return made;
}

}  // namespace talweg::standalone
