#include "tests/gpu/simulator/warp.h"

#include <algorithm>

namespace talweg::gpu::simulator {

namespace {

using Operands = std::array<WarpOperands, kWarpSize>;

constexpr std::uint32_t kUndefined = 0xDEADC0DE;

bool has(std::uint32_t lanes, std::uint32_t lane) { return ((lanes >> lane) & 1u) != 0; }

/// The pseudocode of "shfl.sync" in the PTX ISA, by its names.
std::uint64_t shuffle(WarpOperation operation, const Operands& operands, std::uint32_t lanes,
                      std::uint32_t lane) {
  const std::uint32_t bval = operands[lane].b & 31u;
  const std::uint32_t cval = operands[lane].c & 31u;
  const std::uint32_t segment_mask = (operands[lane].c >> 8u) & 31u;
  const auto max_lane =
      static_cast<std::int32_t>((lane & segment_mask) | (cval & ~segment_mask & 31u));
  const std::uint32_t min_lane = lane & segment_mask;
  auto j = static_cast<std::int32_t>(lane);
  bool predicate = false;
  if (operation == WarpOperation::ShuffleUp) {
    j -= static_cast<std::int32_t>(bval);
    predicate = j >= max_lane;
  } else {
    if (operation == WarpOperation::ShuffleDown) j += static_cast<std::int32_t>(bval);
    if (operation == WarpOperation::ShuffleButterfly) j ^= static_cast<std::int32_t>(bval);
    if (operation == WarpOperation::ShuffleIndex)
      j = static_cast<std::int32_t>(min_lane | (bval & ~segment_mask & 31u));
    predicate = j <= max_lane;
  }
  const std::uint32_t source = predicate ? static_cast<std::uint32_t>(j) : lane;
  const std::uint32_t value = has(lanes, source)
                                  ? static_cast<std::uint32_t>(operands[source].value)
                                  : kUndefined ^ (lane << 8u);
  return value | (predicate ? kPredicate : 0);
}

std::uint64_t vote(WarpOperation operation, const Operands& operands, std::uint32_t lanes) {
  std::uint32_t ballot = 0;
  for (std::uint32_t lane = 0; lane < kWarpSize; ++lane)
    if (has(lanes, lane) && operands[lane].value != 0) ballot |= 1u << lane;
  switch (operation) {
    case WarpOperation::VoteAll:
      return ballot == lanes ? 1 : 0;
    case WarpOperation::VoteAny:
      return ballot != 0 ? 1 : 0;
    case WarpOperation::VoteUniform:
      return ballot == lanes || ballot == 0 ? 1 : 0;
    default:
      return ballot;
  }
}

std::uint64_t match(WarpOperation operation, const Operands& operands, std::uint32_t lanes,
                    std::uint32_t lane) {
  std::uint32_t same = 0;
  for (std::uint32_t other = 0; other < kWarpSize; ++other)
    if (has(lanes, other) && operands[other].value == operands[lane].value) same |= 1u << other;
  if (operation == WarpOperation::MatchAny) return same;
  return same == lanes ? same | kPredicate : 0;
}

std::uint32_t reduce(WarpOperation operation, std::uint32_t a, std::uint32_t b) {
  const auto as = static_cast<std::int32_t>(a), bs = static_cast<std::int32_t>(b);
  switch (operation) {
    case WarpOperation::ReduceAdd:
      return a + b;
    case WarpOperation::ReduceMin:
      return static_cast<std::uint32_t>(std::min(as, bs));
    case WarpOperation::ReduceMax:
      return static_cast<std::uint32_t>(std::max(as, bs));
    case WarpOperation::ReduceUnsignedMin:
      return std::min(a, b);
    case WarpOperation::ReduceUnsignedMax:
      return std::max(a, b);
    case WarpOperation::ReduceAnd:
      return a & b;
    case WarpOperation::ReduceOr:
      return a | b;
    default:
      return a ^ b;
  }
}

}  // namespace

std::uint64_t warp_result(WarpOperation operation, const Operands& operands, std::uint32_t lanes,
                          std::uint32_t lane) {
  if (operation == WarpOperation::Barrier) return 0;
  if (operation <= WarpOperation::ShuffleIndex) return shuffle(operation, operands, lanes, lane);
  if (operation <= WarpOperation::VoteBallot) return vote(operation, operands, lanes);
  if (operation <= WarpOperation::MatchAll) return match(operation, operands, lanes, lane);
  bool is_first = true;
  std::uint32_t result = 0;
  for (std::uint32_t other = 0; other < kWarpSize; ++other) {
    if (!has(lanes, other)) continue;
    const auto value = static_cast<std::uint32_t>(operands[other].value);
    result = is_first ? value : reduce(operation, result, value);
    is_first = false;
  }
  return result;
}

}  // namespace talweg::gpu::simulator
