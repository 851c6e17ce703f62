// What a rule runs on a GPU: its kernels and those that every rule needs, as one PTX text.
#pragma once

#include <string>

#include "compiler/driver/compile.h"
#include "compiler/plan/plan.h"
#include "compiler/targets/target.h"
#include "runtime/support/result.h"

namespace talweg::driver {

/// The kernels of a plan and of runtime/gpu. `target`: one of NVPTX.
std::string generate_device_code(const plan::Plan& plan, const targets::Target& target);

/// That of a graph (before optimisation), from the cache where it is there. It belongs to the image
/// of the program that compile() makes of the same graph for any ISA. `isa`: "nvptx-sm80", ...;
/// Usage failure for one that is unknown or no GPU's. Of `options` the backend and the ISA are not
/// looked at.
support::Result<std::string> compile_device_code(const ir::Graph& graph,
                                                 const CompileOptions& options,
                                                 const std::string& isa);

}  // namespace talweg::driver
