// 64-bit ARM with its base vectors (NEON), which every such processor has.
#pragma once

#include <span>

#include "compiler/targets/target.h"

namespace talweg::targets {

std::span<const Target* const> aarch64_targets();

}  // namespace talweg::targets
