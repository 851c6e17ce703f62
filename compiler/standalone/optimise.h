// What is done to a library's code before machine code is made of it: nothing to kernels.
#pragma once

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::standalone {

/// Drops what nobody calls and keeps equal constants once.
void shrink(llvm::Module& module);
/// Writes out the test whether a product of 64 bits overflows, for which WebAssembly would call a
/// library: clang makes it from comparisons with quotients, and it becomes one again.
void expand_overflow_tests(llvm::Module& module);

}  // namespace talweg::standalone
