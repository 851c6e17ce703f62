// Races, by stamps and cells, against the definition: clocks of all threads kept by all threads,
// and the whole past of each byte. Random threads, accesses and meetings.
#include <array>
#include <catch2/catch.hpp>
#include <random>

#include "tests/gpu/simulator/race_check.h"

namespace talweg::gpu::simulator {

namespace {

constexpr std::uint32_t kThreads = 80, kWarp = 32, kCells = 3, kBlocks = 3;

/// What the definition says.
class Model {
 public:
  void begin_launch() {
    for (auto& past : past_) past.clear();
    block_ = 0;
  }
  void begin_block() {
    ++block_;
    for (std::uint32_t thread = 0; thread < kThreads; ++thread) {
      clocks_[thread].fill(0);
      clocks_[thread][thread] = 1;
    }
  }
  void begin_shared_block() {
    for (auto& past : past_) past.clear();
  }
  void meet(const std::vector<std::uint32_t>& threads) {
    std::array<std::uint32_t, kThreads> all{};
    for (const std::uint32_t thread : threads)
      for (std::uint32_t i = 0; i < kThreads; ++i) all[i] = std::max(all[i], clocks_[thread][i]);
    for (const std::uint32_t thread : threads) {
      clocks_[thread] = all;
      ++clocks_[thread][thread];
    }
  }
  [[nodiscard]] bool races(std::uint32_t cell, std::uint32_t thread, AccessKind kind) const {
    bool result = false;
    for (const Access& past : past_[cell]) {
      const bool writes = kind == AccessKind::Write || past.kind == AccessKind::Write ||
                          (kind == AccessKind::AtomicWrite && past.kind == AccessKind::Read) ||
                          (kind == AccessKind::Read && past.kind == AccessKind::AtomicWrite);
      const bool before = past.block == block_ &&
                          (past.thread == thread || clocks_[thread][past.thread] >= past.clock);
      result = result || (writes && !before);
    }
    return result;
  }
  void access(std::uint32_t cell, std::uint32_t thread, AccessKind kind) {
    past_[cell].push_back({block_, thread, clocks_[thread][thread], kind});
  }

 private:
  struct Access {
    std::uint32_t block, thread, clock;
    AccessKind kind;
  };
  std::uint32_t block_ = 0;
  std::array<std::array<std::uint32_t, kThreads>, kThreads> clocks_{};
  std::array<std::vector<Access>, kCells> past_;
};

struct Count {
  std::uint32_t races = 0, launches_without = 0;
};

/// Launches with random events, each to its end or its first race. False where the two differ.
bool agree(std::uint64_t seed, bool is_shared, Count& count) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::uint32_t>(random() % n); };
  Order order;
  RaceCheck checked(order);
  Model model;
  std::array<Cell, kCells> cells;
  for (int launch = 0; launch < 4; ++launch) {
    order.begin_launch(kThreads);
    checked.begin_launch();
    model.begin_launch();
    bool found = false;
    for (std::uint32_t block = 0; block < kBlocks && !found; ++block) {
      order.begin_block();
      model.begin_block();
      if (is_shared) model.begin_shared_block();
      // A few threads, so that they come across each other; most of what they do is reading.
      const std::uint32_t active = 2 + below(6);
      const std::uint32_t events = 5 + below(60);
      for (std::uint32_t event = 0; event < events && !found; ++event) {
        const std::uint32_t what = below(100);
        const auto some = [&](std::uint32_t first, std::uint32_t end, std::size_t odds) {
          std::vector<std::uint32_t> threads;
          for (std::uint32_t i = first; i < end; ++i)
            if (below(odds) != 0) threads.push_back(i);
          return threads;
        };
        if (what < 8) {
          order.meet_all();
          model.meet(some(0, kThreads, ~std::size_t{0}));
        } else if (what < 25) {
          const std::uint32_t first = below(3) * kWarp;
          const auto threads = some(first, std::min(first + kWarp, kThreads), 5);
          order.meet(threads, true);
          model.meet(threads);
        } else if (what < 28) {
          const auto threads = some(0, kThreads, 4);
          order.meet(threads, false);
          model.meet(threads);
        } else {
          PastAccess now;
          now.thread = below(active) * 13 % kThreads;
          now.stamp = order.stamp(now.thread);
          const std::uint32_t kind = below(10);
          now.kind = static_cast<std::uint32_t>(kind < 1   ? AccessKind::Write
                                                : kind < 3 ? AccessKind::AtomicWrite
                                                : kind < 6 ? AccessKind::AtomicRead
                                                           : AccessKind::Read);
          const std::uint32_t cell = below(kCells);
          const Stamp floor = is_shared ? order.block_floor() : order.launch_floor();
          const bool races = model.races(cell, now.thread, now.access());
          // Most are not made: what is remembered after many that are right is to be seen.
          if (races && below(60) != 0) continue;
          found = checked.access(cells[cell], now, floor).has_value();
          if (found != races) return false;
          model.access(cell, now.thread, now.access());
        }
      }
    }
    ++(found ? count.races : count.launches_without);
    if (found) cells = {};  // what a race leaves is not meant to be used
  }
  return true;
}

}  // namespace

TEST_CASE("races are those of the definition") {
  for (const bool is_shared : {false, true}) {
    Count count;
    std::uint32_t wrong = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed)
      if (!agree(seed, is_shared, count)) ++wrong;
    CHECK(wrong == 0);
    // Both outcomes were seen, often.
    CHECK(count.races > 1000);
    CHECK(count.launches_without > 1000);
  }
}

}  // namespace talweg::gpu::simulator
