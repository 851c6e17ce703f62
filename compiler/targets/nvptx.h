// NVIDIA GPUs: kernels as PTX text, which the driver compiles where they run.
#pragma once

#include <span>

#include "compiler/targets/target.h"

namespace talweg::targets {

/// nvptx-sm80, nvptx-sm90, nvptx-sm100.
std::span<const Target* const> nvptx_targets();
/// Of such a target: 90 for nvptx-sm90, compute capability 9.0.
std::uint32_t gpu_architecture(const Target& target);

}  // namespace talweg::targets
