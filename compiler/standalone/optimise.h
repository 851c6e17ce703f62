// What LLVM's optimiser does for a library: nothing to kernels, it only drops what nobody calls.
#pragma once

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::standalone {

void drop_unused(llvm::Module& module);

}  // namespace talweg::standalone
