// 32-bit WebAssembly with its vectors of 128 bits (SIMD128).
#pragma once

#include <span>

#include "compiler/targets/target.h"

namespace talweg::targets {

/// wasm32.
std::span<const Target* const> wasm_targets();

}  // namespace talweg::targets
