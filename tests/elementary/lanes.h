// The float32 functions on eight arguments at once: the same templates as everywhere
// (compiler/builtins/elementary) over AVX-512, beside the C library's vector functions in float64
// as reference. So that every float32 there is can be looked at within minutes a function.
#pragma once

#include <cstddef>

#include "compiler/builtins/op.h"

namespace talweg::builtins::tests {

inline constexpr std::size_t kLanes = 8;

/// False on machines without AVX-512 and where the C library has no vector functions.
bool has_lanes();

/// For `count` arguments, a multiple of kLanes: the result, the reference, and how far they are
/// from each other in ulps of float32 (infinite where only one is NaN). `y` is read for Pow only.
/// has_lanes() must hold.
void compute_lanes(Op op, const float* x, const float* y, std::size_t count, float* results,
                   double* references, double* distances);

}  // namespace talweg::builtins::tests
