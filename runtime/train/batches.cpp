// Orders of epochs: given, sequential or shuffled; then slices of them.
#include "runtime/train/batches.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/train/random.h"

namespace talweg::train {
namespace {

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

}  // namespace

BatchPlan::BatchPlan(const LoopSettings& settings, std::uint32_t samples)
    : settings_(&settings), samples_(samples) {}

support::Result<BatchPlan> BatchPlan::create(const LoopSettings& settings, std::uint32_t samples) {
  if (samples == 0) return usage("there are no samples to train on");
  std::size_t shortest = settings.order.empty() ? samples : settings.order.front().size();
  for (std::size_t epoch = 0; epoch < settings.order.size(); ++epoch) {
    const std::vector<std::uint32_t>& order = settings.order[epoch];
    if (order.empty()) return usage(fmt::format("the order of epoch {} is empty", epoch + 1));
    shortest = std::min(shortest, order.size());
    for (const std::uint32_t sample : order) {
      if (sample < samples) continue;
      return usage(fmt::format("the order of epoch {} names sample {}, but they are 0 to {}",
                               epoch + 1, sample, samples - 1));
    }
  }
  if (settings.drop_last && settings.batch > shortest) {
    return usage(
        fmt::format("batches of {} with only {} samples an epoch leave no batch when the smaller "
                    "last one is dropped",
                    settings.batch, shortest));
  }
  return BatchPlan(settings, samples);
}

void BatchPlan::start(std::uint64_t epoch) {
  if (!settings_->order.empty()) {
    order_ = settings_->order[epoch % settings_->order.size()];
    return;
  }
  const bool is_same_order = settings_->shuffle != Shuffle::EveryEpoch;
  if (is_same_order && !order_.empty()) return;
  order_ = sequence(samples_);
  if (settings_->shuffle == Shuffle::None || settings_->batch == 0) return;
  RandomStream random(settings_->seed, RandomPurpose::Shuffle,
                      is_same_order ? 0 : static_cast<std::uint32_t>(epoch));
  shuffle(order_, random);
}

std::uint64_t BatchPlan::count() const {
  if (settings_->batch == 0) return 1;
  const std::uint64_t whole = order_.size() / settings_->batch;
  return settings_->drop_last || order_.size() % settings_->batch == 0 ? whole : whole + 1;
}

std::span<const std::uint32_t> BatchPlan::batch(std::uint64_t index) const {
  const std::span<const std::uint32_t> all(order_);
  if (settings_->batch == 0) return all;
  const std::size_t first = index * settings_->batch;
  return all.subspan(first, std::min<std::size_t>(settings_->batch, all.size() - first));
}

}  // namespace talweg::train
