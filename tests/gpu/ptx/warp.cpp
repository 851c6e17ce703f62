#include "tests/gpu/ptx/warp.h"

#include <algorithm>
#include <bit>

namespace talweg::gpu::ptx {

namespace {

WarpOperation operation_of(const Thread& thread) {
  return static_cast<WarpOperation>(thread.waiting->detail);
}

/// Slot of the operand that says who takes part.
std::size_t mask_slot(WarpOperation operation) {
  switch (operation) {
    case WarpOperation::ShuffleUp:
    case WarpOperation::ShuffleDown:
    case WarpOperation::ShuffleButterfly:
    case WarpOperation::ShuffleIndex:
      return 5;
    case WarpOperation::Synchronize:
    case WarpOperation::ActiveMask:
      return 2;
    default:
      return 3;
  }
}

std::uint32_t operand(const Thread& thread, std::size_t slot) {
  return static_cast<std::uint32_t>(thread.r[thread.waiting->s[slot]]);
}

struct Source {
  std::uint32_t lane = 0;
  bool is_in_range = false;
};

/// Which lane a shuffle reads: b counts lanes, the low bits of c bound them, the high ones cut the
/// warp into segments.
Source source_of(WarpOperation operation, std::uint32_t lane, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t by = b & 31, bound = c & 31, segments = c >> 8 & 31;
  const std::uint32_t last = (lane & segments) | (bound & ~segments);
  const std::uint32_t first = lane & segments;
  const auto pick = [&](bool is_in_range, std::uint32_t from) {
    return Source{is_in_range ? from : lane, is_in_range};
  };
  switch (operation) {
    // Here the bound is the lowest lane.
    case WarpOperation::ShuffleUp:
      return pick(static_cast<std::int32_t>(lane - by) >= static_cast<std::int32_t>(last),
                  lane - by);
    case WarpOperation::ShuffleDown:
      return pick(lane + by <= last, lane + by);
    case WarpOperation::ShuffleButterfly:
      return pick((lane ^ by) <= last, lane ^ by);
    default: {
      const std::uint32_t from = first | (by & ~segments);
      return pick(from <= last, from);
    }
  }
}

/// Threads of a warp that go on together.
struct Group {
  std::span<Thread> warp;
  std::uint32_t lanes = 0;

  template <class Visit>
  void each(Visit visit) const {
    for (Thread& thread : warp)
      if ((lanes >> thread.lane() & 1) != 0) visit(thread);
  }
};

void shuffle(const Group& group, WarpOperation operation) {
  std::uint32_t values[32] = {};
  group.each([&](Thread& thread) { values[thread.lane()] = operand(thread, 2); });
  group.each([&](Thread& thread) {
    const Source source =
        source_of(operation, thread.lane(), operand(thread, 3), operand(thread, 4));
    if ((group.lanes >> source.lane & 1) == 0)
      stop(thread, thread.waiting,
           "reads from lane " + std::to_string(source.lane) + ", which takes no part");
    // Both may be one slot: what nobody wants.
    thread.r[thread.waiting->s[1]] = source.is_in_range ? 1 : 0;
    thread.r[thread.waiting->s[0]] = values[source.lane];
  });
}

void vote(const Group& group, WarpOperation operation) {
  std::uint32_t ballot = 0;
  group.each([&](Thread& thread) { ballot |= (operand(thread, 2) & 1) << thread.lane(); });
  std::uint32_t result = ballot;
  if (operation == WarpOperation::VoteAll) result = ballot == group.lanes ? 1 : 0;
  if (operation == WarpOperation::VoteAny) result = ballot != 0 ? 1 : 0;
  if (operation == WarpOperation::VoteUniform)
    result = ballot == 0 || ballot == group.lanes ? 1 : 0;
  group.each([&](Thread& thread) { thread.r[thread.waiting->s[0]] = result; });
}

std::uint32_t reduced(WarpOperation operation, std::uint32_t a, std::uint32_t b) {
  const auto x = static_cast<std::int32_t>(a), y = static_cast<std::int32_t>(b);
  switch (operation) {
    case WarpOperation::ReduceAdd:
      return a + b;
    case WarpOperation::ReduceMin:
      return std::min(a, b);
    case WarpOperation::ReduceMax:
      return std::max(a, b);
    case WarpOperation::ReduceMinSigned:
      return static_cast<std::uint32_t>(std::min(x, y));
    case WarpOperation::ReduceMaxSigned:
      return static_cast<std::uint32_t>(std::max(x, y));
    case WarpOperation::ReduceAnd:
      return a & b;
    case WarpOperation::ReduceOr:
      return a | b;
    default:
      return a ^ b;
  }
}

void reduce(const Group& group, WarpOperation operation) {
  std::uint32_t result = 0;
  bool is_first = true;
  group.each([&](Thread& thread) {
    const std::uint32_t value = operand(thread, 2);
    result = is_first ? value : reduced(operation, result, value);
    is_first = false;
  });
  group.each([&](Thread& thread) { thread.r[thread.waiting->s[0]] = result; });
}

void let_go(const Group& group, WarpOperation operation) {
  switch (operation) {
    case WarpOperation::ShuffleUp:
    case WarpOperation::ShuffleDown:
    case WarpOperation::ShuffleButterfly:
    case WarpOperation::ShuffleIndex:
      shuffle(group, operation);
      break;
    case WarpOperation::VoteAll:
    case WarpOperation::VoteAny:
    case WarpOperation::VoteUniform:
    case WarpOperation::VoteBallot:
      vote(group, operation);
      break;
    case WarpOperation::Synchronize:
      break;
    case WarpOperation::ActiveMask:
      group.each([&](Thread& thread) { thread.r[thread.waiting->s[0]] = group.lanes; });
      break;
    default:
      reduce(group, operation);
      break;
  }
  group.each([](Thread& thread) { thread.state = State::Ready; });
}

std::uint32_t living(std::span<Thread> warp) {
  std::uint32_t lanes = 0;
  for (const Thread& thread : warp)
    if (thread.state != State::Ended) lanes |= std::uint32_t{1} << thread.lane();
  return lanes;
}

/// Whether all have arrived for whom this thread waits.
bool is_complete(const Group& group, const Thread& thread, WarpOperation operation) {
  const std::uint32_t mask = operand(thread, mask_slot(operation));
  bool complete = true;
  group.each([&](Thread& other) {
    // activemask waits for nobody.
    if (other.state != State::AtWarp || operation_of(other) == WarpOperation::ActiveMask) {
      complete = false;
    } else if (operation_of(other) != operation || operand(other, mask_slot(operation)) != mask) {
      stop(thread, thread.waiting,
           "waits for lane " + std::to_string(other.lane()) + ", which is at another one (line " +
               std::to_string(other.waiting->line) + ")");
    }
  });
  return complete;
}

}  // namespace

bool resolve_warp(std::span<Thread> warp) {
  bool any = false;
  for (Thread& thread : warp) {
    if (thread.state != State::AtWarp) continue;
    const WarpOperation operation = operation_of(thread);
    if (operation == WarpOperation::ActiveMask) continue;
    const std::uint32_t mask = operand(thread, mask_slot(operation));
    if ((mask >> thread.lane() & 1) == 0)
      stop(thread, thread.waiting, "takes part in what its own mask excludes it from");
    // All others wait for threads that have not ended; bar.warp.sync for all of its mask.
    const bool waits_for_all = operation == WarpOperation::Synchronize;
    const Group group{warp, waits_for_all ? mask : mask & living(warp)};
    if (!is_complete(group, thread, operation)) continue;
    let_go(group, operation);
    any = true;
  }
  return any;
}

bool resolve_active_mask(std::span<Thread> warp) {
  Group group{warp, 0};
  const Instruction* at = nullptr;
  for (const Thread& thread : warp)
    if (thread.state == State::AtWarp && operation_of(thread) == WarpOperation::ActiveMask &&
        (at == nullptr || at == thread.waiting)) {
      at = thread.waiting;
      group.lanes |= std::uint32_t{1} << thread.lane();
    }
  if (at != nullptr) let_go(group, WarpOperation::ActiveMask);
  return at != nullptr;
}

}  // namespace talweg::gpu::ptx
