// A module to a program: places its variables, fills them, decodes its functions.
#pragma once

#include <memory>
#include <string>

#include "tests/gpu/executor.h"
#include "tests/gpu/ptx/program.h"

namespace talweg::gpu::ptx {

/// Variables in global memory get blocks of `memory`, whose starts are added to `blocks`. Throws
/// Fault for what is not known.
Program build_program(std::string text, DeviceMemory& memory, std::vector<void*>& blocks);

}  // namespace talweg::gpu::ptx
