#include "tests/gpu/simulator/order.h"

#include <algorithm>

namespace talweg::gpu::simulator {

namespace {

constexpr std::uint32_t kWarp = 32;
constexpr Stamp kManyStamps = 1u << 31u;

}  // namespace

bool Order::begin_launch(std::uint32_t threads_in_block) {
  const bool anew = last_ > kManyStamps;
  if (anew) last_ = 0;
  if (anew || threads_in_block != threads_) {
    threads_ = threads_in_block;
    stamps_.assign(threads_, 0);
    seen_.assign(std::size_t{threads_} * threads_, 0);
    merged_.assign(threads_, 0);
  }
  launch_floor_ = last_;
  block_floors_.clear();
  return anew;
}

void Order::begin_block() {
  block_floor_ = last_;
  block_floors_.push_back(last_);
  warps_met_ = false;
  meet_all();
}

void Order::meet_all() {
  all_seen_ = last_;
  ++last_;
  std::fill(stamps_.begin(), stamps_.end(), last_);
}

void Order::meet(std::span<const std::uint32_t> threads, bool in_one_warp) {
  if (threads.empty()) return;
  warps_met_ = warps_met_ || !in_one_warp;
  const std::uint32_t begin = warps_met_ ? 0 : threads.front() / kWarp * kWarp;
  const std::uint32_t end = warps_met_ ? threads_ : std::min(begin + kWarp, threads_);
  std::fill(merged_.begin() + begin, merged_.begin() + end, 0);
  for (const std::uint32_t thread : threads) {
    const Stamp* seen = seen_.data() + std::size_t{thread} * threads_;
    for (std::uint32_t other = begin; other < end; ++other)
      merged_[other] = std::max(merged_[other], seen[other]);
  }
  for (const std::uint32_t thread : threads) merged_[thread] = stamps_[thread];
  ++last_;
  for (const std::uint32_t thread : threads) {
    std::copy(merged_.begin() + begin, merged_.begin() + end,
              seen_.begin() + static_cast<std::ptrdiff_t>(std::size_t{thread} * threads_ + begin));
    stamps_[thread] = last_;
  }
}

std::uint32_t Order::block_of(Stamp stamp) const {
  const auto after = std::lower_bound(block_floors_.begin(), block_floors_.end(), stamp);
  return static_cast<std::uint32_t>(after - block_floors_.begin()) - 1;
}

}  // namespace talweg::gpu::simulator
