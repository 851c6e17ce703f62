// llvm.nvvm.* by what the simulator does for them. Intrinsics of LLVM that every machine computes
// alike stay; all others are refused by name.
#pragma once

#include "tests/gpu/simulator/hooks.h"
#include "tests/gpu/simulator/sites.h"

namespace talweg::gpu::simulator {

/// Throws Fault for an intrinsic that is not known, or that machines compute differently.
void replace_intrinsics(llvm::Module& module, Hooks& hooks, Sites& sites);

}  // namespace talweg::gpu::simulator
