// That every peer computes the rule's update, to rounding: told before anything is timed.
#pragma once

#include "benchmarks/contest.h"
#include "benchmarks/torch_peer.h"

namespace talweg::benchmarks {

/// Steps the rule and every peer from one start through the same gradients and compares parameters.
/// Says on stderr who differs and ends the program then.
void check_agreement(const Case& contest, const std::vector<std::unique_ptr<TorchPeer>>& torches);

}  // namespace talweg::benchmarks
