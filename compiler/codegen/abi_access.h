// Reading and writing the C structs of runtime/abi from emitted code, by their offsets.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <cstddef>

#include "compiler/codegen/abi_layout.h"
#include "runtime/abi/talweg_abi.h"

namespace talweg::codegen {

/// An offset on the machine that `ir` emits for.
inline std::size_t bytes_here(const llvm::IRBuilder<>& ir, Offset offset) {
  const llvm::DataLayout& layout = ir.GetInsertBlock()->getModule()->getDataLayout();
  return layout.getPointerSize() == 4 ? offset.narrow : offset.wide;
}

/// The field of type `type` at `offset` bytes from `object`, which has no pointers.
inline llvm::Value* load_field(llvm::IRBuilder<>& ir, llvm::Type* type, llvm::Value* object,
                               std::size_t offset) {
  return ir.CreateLoad(type, ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), object, offset));
}

inline llvm::Value* load_field(llvm::IRBuilder<>& ir, llvm::Type* type, llvm::Value* object,
                               Offset offset) {
  return load_field(ir, type, object, bytes_here(ir, offset));
}

inline llvm::Value* load_pointer(llvm::IRBuilder<>& ir, llvm::Value* object, Offset offset) {
  return load_field(ir, ir.getPtrTy(), object, offset);
}

/// Entry `index` of an array of pointers.
inline llvm::Value* load_pointer_at(llvm::IRBuilder<>& ir, llvm::Value* array, std::size_t index) {
  return ir.CreateLoad(ir.getPtrTy(), ir.CreateConstInBoundsGEP1_64(ir.getPtrTy(), array, index));
}

/// Entry `index` (an i64 or constant) of an array of entries of `size` bytes.
inline llvm::Value* entry_address(llvm::IRBuilder<>& ir, llvm::Value* array, llvm::Value* index,
                                  std::size_t size) {
  return ir.CreateInBoundsGEP(ir.getInt8Ty(), array, ir.CreateMul(index, ir.getInt64(size)));
}

}  // namespace talweg::codegen
