// The threads of one block, run until all of them have ended: who runs, who waits for whom, and
// what instrumented code calls.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/gpu/executor.h"
#include "tests/gpu/simulator/fibers.h"
#include "tests/gpu/simulator/memory.h"
#include "tests/gpu/simulator/order.h"
#include "tests/gpu/simulator/warp.h"

namespace talweg::gpu::simulator {

/// Special registers, which instrumented code reads from the start of its Thread.
enum Register : std::uint32_t {
  kTid,                  // x, y, z
  kNtid = kTid + 3,      // likewise
  kCtaid = kNtid + 3,    // likewise
  kNctaid = kCtaid + 3,  // likewise
  kLaneid = kNctaid + 3,
  kWarpid,
  kNwarpid,
  kLanemaskEq,
  kLanemaskLe,
  kLanemaskLt,
  kLanemaskGe,
  kLanemaskGt,
  kRegisters,
};

/// An instruction that was instrumented, by its number.
using Site = std::uint32_t;
constexpr Site kNoSite = ~Site{0};

/// Instead of a number of threads: all of the block.
constexpr std::uint32_t kAllThreads = ~0u;

struct Thread {
  std::array<std::uint32_t, kRegisters> registers{};
  std::uint32_t number = 0;
  enum class State : std::uint8_t { Ready, AtBarrier, InWarp, Ended } state = State::Ready;
  Site site = kNoSite;  // where it waits
  WarpOperands operands;
  std::uint64_t result = 0;
  std::uint32_t atomics = 0;  // since it last ran on
};

/// Why a block was stopped.
struct BlockFault {
  std::string cause;
  std::uint32_t thread = 0;
  Site site = kNoSite;
  std::optional<PastAccess> earlier;          // that this one races with
  std::optional<std::uint32_t> other_thread;  // that is to blame as well
  Site other_site = kNoSite;                  // where it waits; none: it has ended
};

class Block {
 public:
  Block(Memory& memory, Order& order) : memory_(memory), order_(order) {}

  /// Of sites: what accesses memory, and how. Kept.
  void set_forms(const std::vector<AccessForm>& forms) { forms_ = &forms; }
  void begin_launch(Dim grid, Dim block, std::uint64_t order_seed);
  /// Runs entry(arguments) in each thread of the block at this place.
  std::optional<BlockFault> run(void (*entry)(const std::uint64_t*), const std::uint64_t* arguments,
                                Dim place);

  // What threads call while they run.
  void access(const void* address, std::uint64_t bytes, Site site);
  void wait_at_barrier(std::uint32_t barrier, std::uint32_t count, bool is_aligned, Site site);
  std::uint64_t in_warp(WarpOperation operation, std::uint32_t mask, WarpOperands operands,
                        Site site);
  [[nodiscard]] std::uint8_t space_of(const void* address);
  [[noreturn]] void stop(std::string cause, Site site);

  /// Where instrumented code finds its thread.
  [[nodiscard]] Thread* const* current() const { return &current_; }

 private:
  struct Barrier {
    std::uint32_t count = 0;
    bool is_aligned = false;
    std::vector<std::uint32_t> waiting;
  };
  /// Lanes that wait for the rest of `mask` to do the same.
  struct Group {
    WarpOperation operation;
    std::uint32_t mask, arrived;
  };
  struct Warp {
    std::uint32_t ended = 0;  // lanes, or that never were
    std::vector<Group> groups;
  };

  /// The same where another thread than the one that runs is to blame.
  [[noreturn]] void blame(const Thread& thread, std::string cause, Site site);
  static void run_thread(void* block);
  bool run_warp(std::uint32_t warp);
  void wait();
  void complete(Barrier& barrier, Site site);
  void check_whole_warps(const Barrier& barrier, Site site);
  bool complete_if_all_here(std::uint32_t warp, std::size_t group);
  void end_thread();
  BlockFault nobody_can_run() const;

  Memory& memory_;
  Order& order_;
  const std::vector<AccessForm>* forms_ = nullptr;
  Thread* current_ = nullptr;
  Fibers fibers_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::uint32_t> warp_order_, lane_order_;
  std::array<Barrier, 16> barriers_;
  std::optional<BlockFault> fault_;
  std::uint32_t ended_ = 0;
  void (*entry_)(const std::uint64_t*) = nullptr;
  const std::uint64_t* arguments_ = nullptr;
};

}  // namespace talweg::gpu::simulator
