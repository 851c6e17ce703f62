// Which samples each step sees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/loop.h"

namespace talweg::train {

/// The order of every epoch, cut into batches. The shuffle of epoch e (from 0) is drawn from
/// (seed, Shuffle, e) alone: any epoch can be had without the ones before. Whole epochs as one
/// batch stay in sequence: no order shows in them but that of sums.
class BatchPlan {
 public:
  /// Refused (Usage): no samples, an order that is empty or names a sample that is not there,
  /// drop_last with a batch larger than an epoch.
  static support::Result<BatchPlan> create(const LoopSettings& settings, std::uint32_t samples);

  /// Goes to epoch `epoch`, from 0.
  void start(std::uint64_t epoch);
  /// Batches in the present epoch, and one of them.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::span<const std::uint32_t> batch(std::uint64_t index) const;

 private:
  BatchPlan(const LoopSettings& settings, std::uint32_t samples);

  const LoopSettings* settings_;
  std::uint32_t samples_;
  std::vector<std::uint32_t> order_;
};

}  // namespace talweg::train
