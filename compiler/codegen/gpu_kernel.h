// Kernels of a GPU in emitted code: their parameters (runtime/abi/talweg_gpu_abi.h), and the spaces
// of their memory.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <string>

namespace talweg::codegen {

/// Parameters by their places.
inline constexpr unsigned kGpuArgs = 0, kGpuBegin = 1, kGpuEnd = 2, kGpuExtra = 3, kGpuStop = 4;

/// Spaces of memory as LLVM numbers them.
inline constexpr unsigned kGlobalSpace = 1, kSharedSpace = 3;

/// What the functions of an image are called for: one row of scalars, or a range.
enum class FunctionReach : std::uint8_t { Row, Range };

/// A kernel whose threads call a function, as the ABI of images has it, for one row, tensor or line
/// chunk each. Gives that function, whose body is yet to be emitted.
llvm::Function* add_gpu_function(llvm::Module& module, const std::string& name,
                                 FunctionReach reach);

/// A kernel without a body.
llvm::Function* add_gpu_kernel(llvm::Module& module, const std::string& name);
/// What every kernel begins with; gives the block where its work goes.
llvm::BasicBlock* emit_gpu_entry(llvm::Function& kernel);

/// A pointer to memory that all threads of all blocks see.
llvm::Value* emit_global_pointer(llvm::IRBuilder<>& ir, llvm::Value* pointer);

/// Turns the variables of a function into registers: what stays in memory would be slow.
void keep_in_registers(llvm::Function& function);

}  // namespace talweg::codegen
