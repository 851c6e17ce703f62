// What happened before what among the threads of a launch.
//
// Stamps are numbers that only grow. A thread stamps what it does with its own current stamp; where
// threads synchronise they all take a new one. So of what was done: that of an earlier block bears
// a stamp not above the block's floor, that before the block's last barrier of all threads one not
// above the barrier's, and of the rest each thread knows the stamps of others that it has seen.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace talweg::gpu::simulator {

using Stamp = std::uint32_t;

class Order {
 public:
  /// True where stamps begin anew: those given before are of no more use.
  bool begin_launch(std::uint32_t threads_in_block);
  void begin_block();
  /// All threads of the block met.
  void meet_all();
  /// Some met, whose numbers these are; all of one warp or not.
  void meet(std::span<const std::uint32_t> threads, bool in_one_warp);

  [[nodiscard]] Stamp stamp(std::uint32_t thread) const { return stamps_[thread]; }
  /// Stamps up to this one were given before the launch, or the block.
  [[nodiscard]] Stamp launch_floor() const { return launch_floor_; }
  [[nodiscard]] Stamp block_floor() const { return block_floor_; }
  /// Stamps up to this one are seen by all threads of the block.
  [[nodiscard]] Stamp all_seen() const { return all_seen_; }
  /// Whether what `other`, of the same block, did with this stamp happened before what `thread`
  /// does now.
  [[nodiscard]] bool before(std::uint32_t other, Stamp stamp, std::uint32_t thread) const {
    return other == thread || stamp <= all_seen_ ||
           stamp <= seen_[std::size_t{thread} * threads_ + other];
  }
  /// The block, counted in the order in which they run, that gave this stamp.
  [[nodiscard]] std::uint32_t block_of(Stamp stamp) const;
  [[nodiscard]] std::uint32_t threads() const { return threads_; }

 private:
  std::uint32_t threads_ = 0;
  Stamp last_ = 0;
  Stamp launch_floor_ = 0, block_floor_ = 0, all_seen_ = 0;
  bool warps_met_ = false;  // some of several warps: seen_ matters between warps
  std::vector<Stamp> stamps_;
  std::vector<Stamp> seen_;  // [thread][other]
  std::vector<Stamp> merged_;
  std::vector<Stamp> block_floors_;
};

}  // namespace talweg::gpu::simulator
