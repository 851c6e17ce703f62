// x86-64 in its levels v2, v3 and v4, and v2 without vectors.
#pragma once

#include <span>

#include "compiler/targets/target.h"

namespace talweg::targets {

/// scalar, x86-64-v2, x86-64-v3, x86-64-v4.
std::span<const Target* const> x86_targets();

}  // namespace talweg::targets
