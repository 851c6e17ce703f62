// Refuses modules whose bits depend on the machine that runs them, and forms that the simulator
// would run otherwise than a device.
#pragma once

namespace llvm {
class Module;
}  // namespace llvm

namespace talweg::gpu::simulator {

/// Throws Fault, which names the instruction or function.
void check_exactness(const llvm::Module& module);

}  // namespace talweg::gpu::simulator
