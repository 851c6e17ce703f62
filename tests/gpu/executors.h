// The executors that run the kernels of a plan.
#pragma once

#include "tests/gpu/kernel_program.h"

namespace talweg::gpu {

/// The emitted module, before code generation (simulator/simulator.h).
ExecutorOfPlan simulate();
/// The PTX text that is made from it (ptx/interpreter.h).
ExecutorOfPlan interpret_ptx();

}  // namespace talweg::gpu
