// What instrumented code calls in this process, as calls in LLVM's language and as addresses.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <span>

#include "tests/gpu/simulator/block.h"

namespace talweg::gpu::simulator {

/// A function outside of the module that its code may refer to.
struct HostSymbol {
  const char* name;
  void* address;
};
std::span<const HostSymbol> host_symbols();

/// Emits calls for the threads of one Block, whose address is put into the code.
class Hooks {
 public:
  Hooks(llvm::Module& module, Block& block);

  void emit_access(llvm::IRBuilderBase& ir, llvm::Value* pointer, llvm::Value* bytes, Site site);
  void emit_barrier(llvm::IRBuilderBase& ir, llvm::Value* barrier, llvm::Value* count,
                    bool is_aligned, Site site);
  /// 64 bits: a value, and the predicate above it.
  llvm::Value* emit_in_warp(llvm::IRBuilderBase& ir, WarpOperation operation, llvm::Value* mask,
                            llvm::Value* value, llvm::Value* b, llvm::Value* c, Site site);
  llvm::Value* emit_space_of(llvm::IRBuilderBase& ir, llvm::Value* pointer);
  void emit_trap(llvm::IRBuilderBase& ir, Site site);
  llvm::Value* emit_register(llvm::IRBuilderBase& ir, std::uint32_t number);

 private:
  llvm::CallInst* call(llvm::IRBuilderBase& ir, const char* name, llvm::Type* result,
                       llvm::ArrayRef<llvm::Value*> arguments);

  llvm::Module& module_;
  llvm::Constant* block_;
  llvm::Constant* current_;  // the address of the pointer to the thread that runs
};

}  // namespace talweg::gpu::simulator
