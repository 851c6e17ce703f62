// Float32 results against a float64 reference, and against MPFR where that cannot decide: fast
// enough for every float32 there is.
//
// The reference is the C library's function in float64, which shares no code with ours. A result
// within kSurelyGood ulp of it is right whatever the reference's own error, as long as that stays
// far below a float32 ulp; that is measured against MPFR at every kProbe-th argument. Everything
// else goes to MPFR.
#pragma once

#include <cstdint>
#include <span>

#include "compiler/builtins/op.h"

namespace talweg::builtins::tests {

struct Float32Seen {
  std::uint64_t arguments = 0;
  std::uint64_t decided_by_mpfr = 0;
  double worst_ulp = 0;  // of a result; where the reference decided, by the reference
  float worst[2] = {};
  double worst_reference_ulp = 0;  // of the reference, in float32's ulp
};

/// Beyond half an ulp by as much as a reference that is off by 2^-15 float32 ulp could explain.
inline constexpr double kSurelyGood = 0.5 + 0x1p-15;
inline constexpr std::uint64_t kProbe = 4099;
/// How far the reference may be off, in float32's ulp, to be one.
inline constexpr double kReferenceBound = 0x1p-20;

void look_at_float32(Op op, float x, float y, Float32Seen& seen);

/// Many of them; `y` may be empty but for Pow. Eight at once where the machine can (lanes.h): then
/// every kProbe-th result is compared with the interpreter's, bit for bit.
void look_at_float32(Op op, std::span<const float> x, std::span<const float> y, Float32Seen& seen);

}  // namespace talweg::builtins::tests
