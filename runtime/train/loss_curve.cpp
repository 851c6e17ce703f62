// Runs of steps, merged in pairs when there are too many.
#include "runtime/train/loss_curve.h"

namespace talweg::train {

void LossCurve::add(std::uint64_t step, double loss) {
  if (runs_.empty() || runs_.back().count == run_length_) {
    if (runs_.size() == kMaxPoints) {
      for (std::size_t i = 0; i < kMaxPoints / 2; ++i) {
        const Run& first = runs_[2 * i];
        const Run& second = runs_[2 * i + 1];
        runs_[i] = {second.last_step, first.loss_sum + second.loss_sum, first.count + second.count};
      }
      runs_.resize(kMaxPoints / 2);
      run_length_ *= 2;
    }
    runs_.emplace_back();
  }
  Run& run = runs_.back();
  run.last_step = step;
  run.loss_sum += loss;
  ++run.count;
}

std::vector<CurvePoint> LossCurve::points() const {
  std::vector<CurvePoint> points;
  for (const Run& run : runs_) {
    points.push_back(
        {static_cast<double>(run.last_step), run.loss_sum / static_cast<double>(run.count)});
  }
  return points;
}

}  // namespace talweg::train
