// What LLVM's optimiser does for a library: nothing to kernels, it only drops what nobody
// calls and keeps equal constants once.
#pragma once

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::standalone {

void shrink(llvm::Module& module);

}  // namespace talweg::standalone
