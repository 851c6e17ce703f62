// NVIDIA GPUs: kernels as PTX text, which the driver compiles where they run.
#pragma once

#include <span>

#include "compiler/targets/target.h"

namespace talweg::targets {

/// nvptx-sm80, nvptx-sm90, nvptx-sm100: the newest last.
std::span<const Target* const> nvptx_targets();
/// Of such a target: 90 for nvptx-sm90, compute capability 9.0.
std::uint32_t gpu_architecture(const Target& target);
/// The newest of them that a GPU of an architecture runs (89: compute capability 8.9); null where
/// that is too old for all.
const Target* find_gpu_target(std::uint32_t architecture);

}  // namespace talweg::targets
