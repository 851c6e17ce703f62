// What the threads of a warp do together: shuffles, votes, matches, reductions, by the PTX ISA.
#pragma once

#include <array>
#include <cstdint>

namespace talweg::gpu::simulator {

constexpr std::uint32_t kWarpSize = 32;

enum class WarpOperation : std::uint32_t {
  Barrier,
  ShuffleUp,
  ShuffleDown,
  ShuffleButterfly,
  ShuffleIndex,
  VoteAll,
  VoteAny,
  VoteUniform,
  VoteBallot,
  MatchAny,
  MatchAll,
  ReduceAdd,
  ReduceMin,
  ReduceMax,
  ReduceUnsignedMin,
  ReduceUnsignedMax,
  ReduceAnd,
  ReduceOr,
  ReduceXor,
};

/// Operands of a lane, in the order of the instruction; those that it has not are 0.
struct WarpOperands {
  std::uint64_t value = 0;
  std::uint32_t b = 0, c = 0;
};

/// A predicate, where the operation has one beside its value, is bit 32 of the result.
constexpr std::uint64_t kPredicate = std::uint64_t{1} << 32u;

/// What `lane` gets; `lanes` are those that take part, as bits. The value of a lane that does not
/// is undefined: a pattern that nobody expects.
std::uint64_t warp_result(WarpOperation operation,
                          const std::array<WarpOperands, kWarpSize>& operands, std::uint32_t lanes,
                          std::uint32_t lane);

}  // namespace talweg::gpu::simulator
