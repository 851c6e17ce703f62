#include "tests/gpu/simulator/race_check.h"

#include <algorithm>

namespace talweg::gpu::simulator {

namespace {

bool conflict(AccessKind a, AccessKind b) {
  using enum AccessKind;
  if (a == Write || b == Write) return true;
  return (a == Read && b == AtomicWrite) || (a == AtomicWrite && b == Read);
}

constexpr std::uint32_t kOtherKinds = 3;  // all but Write

}  // namespace

bool RaceCheck::before(const PastAccess& past, const PastAccess& now) const {
  return past.stamp > order_.block_floor() && order_.before(past.thread, past.stamp, now.thread);
}

/// What gives a cell more also leaves a stamp of the launch in it, and none is taken back.
void RaceCheck::forget_earlier_launch(Cell& cell) const {
  if (std::max(cell.write.stamp, cell.other.stamp) <= order_.launch_floor()) cell.more = 0;
}

/// What was this block's may have become another's.
void RaceCheck::refresh(More& more, Stamp floor) {
  if (more.floor < floor) {
    for (std::uint32_t kind = 0; kind < kOtherKinds; ++kind) {
      if (more.foreign[kind].stamp <= floor) more.foreign[kind] = {};
      if (more.latest[kind] <= floor) more.latest[kind] = 0;
    }
    more.floor = floor;
  }
  for (std::uint32_t kind = 0; kind < kOtherKinds; ++kind) {
    if (more.latest[kind] == 0 || more.latest[kind] > order_.block_floor()) continue;
    const auto& stamps = more.stamps[kind];
    const auto thread = static_cast<std::uint32_t>(
        std::find(stamps.begin(), stamps.end(), more.latest[kind]) - stamps.begin());
    PastAccess& foreign = more.foreign[kind];
    foreign.stamp = more.latest[kind];
    foreign.thread = thread;
    foreign.kind = kind;
    foreign.site = more.sites[kind][thread];
    more.latest[kind] = 0;
  }
}

void RaceCheck::keep(Cell& cell, const PastAccess& past, Stamp floor) {
  if (cell.more == 0) {
    cell.more = static_cast<std::uint32_t>(more_.size());
    more_.emplace_back();
  }
  More& more = more_[cell.more];
  refresh(more, floor);
  if (past.stamp <= order_.block_floor()) {
    more.foreign[past.kind] = past;
    return;
  }
  auto& stamps = more.stamps[past.kind];
  if (stamps.size() != order_.threads()) {
    stamps.assign(order_.threads(), 0);
    more.sites[past.kind].assign(order_.threads(), 0);
  }
  stamps[past.thread] = past.stamp;
  more.sites[past.kind][past.thread] = past.site;
  more.latest[past.kind] = std::max(more.latest[past.kind], past.stamp);
}

std::optional<PastAccess> RaceCheck::race_with(More& more, const PastAccess& now) {
  for (std::uint32_t kind = 0; kind < kOtherKinds; ++kind) {
    if (!conflict(static_cast<AccessKind>(kind), now.access())) continue;
    if (more.foreign[kind].stamp != 0) return more.foreign[kind];
    if (more.latest[kind] <= order_.all_seen()) continue;
    const auto& stamps = more.stamps[kind];
    for (std::uint32_t thread = 0; thread < stamps.size(); ++thread) {
      PastAccess past;
      past.stamp = stamps[thread];
      past.thread = thread;
      past.kind = kind;
      past.site = more.sites[kind][thread];
      if (past.stamp > order_.block_floor() && !before(past, now)) return past;
    }
  }
  return std::nullopt;
}

std::optional<PastAccess> RaceCheck::check(Cell& cell, PastAccess now, Stamp floor) {
  forget_earlier_launch(cell);
  if (cell.write.stamp > floor && !before(cell.write, now)) return cell.write;
  if (cell.other.stamp > floor && conflict(cell.other.access(), now.access()) &&
      !before(cell.other, now))
    return cell.other;
  if (cell.more != 0) {
    refresh(more_[cell.more], floor);
    if (const auto race = race_with(more_[cell.more], now)) return race;
  }
  if (now.access() == AccessKind::Write) {
    cell.write = now;
    cell.other = {};
    if (cell.more != 0) {
      More& more = more_[cell.more];
      for (std::uint32_t kind = 0; kind < kOtherKinds; ++kind) {
        more.foreign[kind] = {};
        more.latest[kind] = 0;
      }
    }
    return std::nullopt;
  }
  // What comes after this one comes after those of its kind that it comes after.
  const bool superfluous =
      cell.other.stamp <= floor || (cell.other.kind == now.kind && before(cell.other, now));
  if (!superfluous) keep(cell, cell.other, floor);
  cell.other = now;
  return std::nullopt;
}

Cell RaceCheck::copy(const Cell& cell) {
  Cell result = cell;
  forget_earlier_launch(result);
  if (result.more != 0) {
    more_.push_back(More(more_[result.more]));
    result.more = static_cast<std::uint32_t>(more_.size() - 1);
  }
  return result;
}

}  // namespace talweg::gpu::simulator
