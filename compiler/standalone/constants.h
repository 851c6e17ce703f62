// Constants as C lays them out: structs by their fields in order, tables, texts.
#pragma once

#include <llvm/IR/Constants.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/Module.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace talweg::standalone {

class Constants {
 public:
  explicit Constants(llvm::Module& module) : module_(module), context_(module.getContext()) {}

  llvm::Constant* u8(std::uint8_t value) { return integer(8, value); }
  llvm::Constant* u32(std::uint32_t value) { return integer(32, value); }
  llvm::Constant* u64(std::uint64_t value) { return integer(64, value); }
  /// Keeps infinities, NaN and the sign of 0.
  llvm::Constant* f64(double value) {
    return llvm::ConstantFP::get(context_, llvm::APFloat(value));
  }
  llvm::Constant* null() { return llvm::ConstantPointerNull::get(pointer_type()); }
  /// A pointer to a text that ends with a 0; null for null.
  llvm::Constant* text(const char* value);
  /// A struct of these fields; the compiler of C gives it the same layout.
  llvm::Constant* structure(const std::vector<llvm::Constant*>& fields) {
    return llvm::ConstantStruct::getAnon(context_, fields);
  }
  /// A pointer to the entries, which are of one type; null for none.
  llvm::Constant* table(const std::vector<llvm::Constant*>& entries);
  /// A constant of the module, of a name that nothing outside sees.
  llvm::GlobalVariable* variable(llvm::Constant* value, std::string_view name);
  [[nodiscard]] std::uint64_t size_of(llvm::Constant* value) const {
    return module_.getDataLayout().getTypeAllocSize(value->getType());
  }
  [[nodiscard]] bool has_wide_pointers() const {
    return module_.getDataLayout().getPointerSize() == sizeof(void*);
  }

 private:
  llvm::Constant* integer(unsigned bits, std::uint64_t value) {
    return llvm::ConstantInt::get(llvm::Type::getIntNTy(context_, bits), value);
  }
  llvm::PointerType* pointer_type() { return llvm::PointerType::get(context_, 0); }

  llvm::Module& module_;
  llvm::LLVMContext& context_;
};

}  // namespace talweg::standalone
