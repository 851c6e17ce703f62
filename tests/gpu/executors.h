// The executors that run the kernels of a plan.
#pragma once

#include "tests/gpu/kernel_program.h"

namespace talweg::gpu {

/// The emitted module, before code generation (simulator/simulator.h).
MakeExecutor simulate();

}  // namespace talweg::gpu
