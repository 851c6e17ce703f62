// Constants that several elementary functions share. Each is the value rounded to float64, and
// where there are two, the second is the rest, rounded.
#pragma once

#include <cstdint>
#include <limits>

namespace talweg::builtins {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kLog2E = 0x1.71547652b82fep+0;
inline constexpr double kLog2ERest = 0x1.777d0ffda0d24p-56;
/// ln 2 in 42 bits, so that its product with an integer below 2^11 is exact.
inline constexpr double kLn2Short = 0x1.62e42fefa38p-1;
inline constexpr double kLn2Rest = 0x1.ef35793c7673p-45;
inline constexpr double kHalfPi = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPiRest = 0x1.1a62633145c07p-54;
/// Adding this to |x| < 2^51 rounds x to an integer, found in the low bits of the sum.
inline constexpr double kRoundingShift = 0x1.8p52;
inline constexpr std::uint64_t kRoundingShiftBits = 0x4338000000000000;
/// The bits of 2^52: an integer n < 2^52 or-ed to them gives the float64 2^52 + n.
inline constexpr std::uint64_t kTwoTo52Bits = 0x4330000000000000;

}  // namespace talweg::builtins
