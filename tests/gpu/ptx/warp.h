// What the threads of a warp do together: shuffles, votes, and waiting for one another.
#pragma once

#include <span>

#include "tests/gpu/ptx/thread.h"

namespace talweg::gpu::ptx {

enum class WarpOperation : std::int64_t {
  ShuffleUp,
  ShuffleDown,
  ShuffleButterfly,
  ShuffleIndex,
  VoteAll,
  VoteAny,
  VoteUniform,
  VoteBallot,
  ReduceAdd,
  ReduceMinSigned,
  ReduceMaxSigned,
  ReduceMin,
  ReduceMax,
  ReduceAnd,
  ReduceOr,
  ReduceXor,
  Synchronize,
  ActiveMask,
};

/// Lets those of a warp's threads (32, or fewer in the last) go on that have all arrived; whether
/// there were any. Throws Fault where lanes that wait for one another do different things.
bool resolve_warp(std::span<Thread> warp);

/// As resolve_warp for activemask, when nothing else in the warp can go on: the threads that stand
/// at the same instruction are active together.
bool resolve_active_mask(std::span<Thread> warp);

}  // namespace talweg::gpu::ptx
