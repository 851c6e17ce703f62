// A rule whose functions are GPU kernels, run by an executor: an image like any other, so whatever
// drives images (and compares their bits) drives kernels.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "compiler/driver/compile.h"
#include "compiler/targets/target.h"
#include "tests/gpu/executor.h"

namespace talweg::gpu {

/// An executor of the kernels of a plan for a target.
using ExecutorOfPlan = std::function<std::unique_ptr<Executor>(
    const plan::Plan& plan, const targets::Target& target, DeviceMemory& memory)>;

/// Kernels see memory of this process wherever it lies; faults end the program as an exception.
std::shared_ptr<driver::Program> make_kernel_program(const ir::Graph& graph,
                                                     types::ComputeType compute,
                                                     const targets::Target& target,
                                                     const ExecutorOfPlan& make_executor);

}  // namespace talweg::gpu
