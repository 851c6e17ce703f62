// A check before every access to memory.
#pragma once

#include "tests/gpu/simulator/hooks.h"
#include "tests/gpu/simulator/sites.h"

namespace talweg::gpu::simulator {

/// Throws Fault for accesses that it does not know.
void instrument_accesses(llvm::Module& module, Hooks& hooks, Sites& sites);

}  // namespace talweg::gpu::simulator
