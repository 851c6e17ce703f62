// Reading and writing the C structs of runtime/abi from emitted code, by their offsets.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstddef>

#include "runtime/abi/talweg_abi.h"

namespace talweg::codegen {

/// The field of type `type` at `offset` bytes from `object`.
inline llvm::Value* load_field(llvm::IRBuilder<>& ir, llvm::Type* type, llvm::Value* object,
                               std::size_t offset) {
  return ir.CreateLoad(type, ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), object, offset));
}

inline llvm::Value* load_pointer(llvm::IRBuilder<>& ir, llvm::Value* object, std::size_t offset) {
  return load_field(ir, ir.getPtrTy(), object, offset);
}

/// Entry `index` (an i64 or constant) of an array of entries of `size` bytes.
inline llvm::Value* entry_address(llvm::IRBuilder<>& ir, llvm::Value* array, llvm::Value* index,
                                  std::size_t size) {
  return ir.CreateInBoundsGEP(ir.getInt8Ty(), array, ir.CreateMul(index, ir.getInt64(size)));
}

}  // namespace talweg::codegen
