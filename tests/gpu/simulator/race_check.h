// Finds two accesses to the same bytes by two threads of a launch, one of them a write, not both
// atomic, of which none happened before the other.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/gpu/simulator/order.h"

namespace talweg::gpu::simulator {

enum class AccessKind : std::uint8_t { Read, AtomicRead, AtomicWrite, Write };

/// An access that was made; stamp 0: none.
struct PastAccess {
  Stamp stamp = 0;
  std::uint32_t thread : 10 = 0;  // in its block
  std::uint32_t kind : 2 = 0;     // an AccessKind
  std::uint32_t site : 20 = 0;

  [[nodiscard]] AccessKind access() const { return static_cast<AccessKind>(kind); }
};
constexpr std::uint32_t kMostSites = 1u << 20u;
constexpr std::uint32_t kMostThreads = 1u << 10u;

/// What is remembered of some bytes that were always accessed together. The last write is enough of
/// all writes: what does not race with it comes after it. Of other accesses the last one is
/// here, those before it that it does not make superfluous are elsewhere.
struct Cell {
  PastAccess write;
  PastAccess other;
  std::uint32_t more = 0;  // in RaceCheck::more_, as long as the launch lasts; 0: none
};

class RaceCheck {
 public:
  explicit RaceCheck(const Order& order) : order_(order) {}

  /// Remembers an access; what was done with stamps up to `floor` does not matter. The answer is an
  /// earlier access that it races with, if there is one.
  std::optional<PastAccess> access(Cell& cell, PastAccess now, Stamp floor) {
    // Again what the last one did: a write since then would have replaced it.
    if (cell.other.stamp == now.stamp && cell.other.thread == now.thread &&
        cell.other.kind == now.kind)
      return std::nullopt;
    // Most bytes are of one thread alone.
    if (cell.more == 0 && concerns_only(now.thread, cell.write, floor) &&
        concerns_only(now.thread, cell.other, floor)) {
      if (now.access() == AccessKind::Write) {
        cell.write = now;
        cell.other = {};
        return std::nullopt;
      }
      if (cell.other.stamp <= floor || cell.other.kind == now.kind) {
        cell.other = now;
        return std::nullopt;
      }
    }
    return check(cell, now, floor);
  }
  /// A cell that goes on with the same past as this one.
  Cell copy(const Cell& cell);
  /// Nothing of what was done before matters any more; cells may stay.
  void begin_launch() { more_.resize(1); }

 private:
  /// Others than the last: for each kind the last stamp of each thread of this block, and
  /// one of another block.
  struct More {
    Stamp floor = 0;
    PastAccess foreign[3];
    Stamp latest[3] = {};
    std::vector<Stamp> stamps[3];         // [thread]
    std::vector<std::uint32_t> sites[3];  // [thread]
  };

  /// Whether it does not matter, or is the thread's own.
  [[nodiscard]] bool concerns_only(std::uint32_t thread, const PastAccess& past,
                                   Stamp floor) const {
    return past.stamp <= floor || (past.thread == thread && past.stamp > order_.block_floor());
  }
  std::optional<PastAccess> check(Cell& cell, PastAccess now, Stamp floor);
  [[nodiscard]] bool before(const PastAccess& past, const PastAccess& now) const;
  [[nodiscard]] std::optional<PastAccess> race_with(More& more, const PastAccess& now);
  void forget_earlier_launch(Cell& cell) const;
  void keep(Cell& cell, const PastAccess& past, Stamp floor);
  void refresh(More& more, Stamp floor);

  const Order& order_;
  std::vector<More> more_{1};
};

}  // namespace talweg::gpu::simulator
