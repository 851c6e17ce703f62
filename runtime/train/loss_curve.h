// The losses of a run in bounded memory, for its plot.
#pragma once

#include <cstdint>
#include <vector>

namespace talweg::train {

struct CurvePoint {
  double step = 0;
  double loss = 0;
};

/// Keeps at most kMaxPoints means over runs of equally many steps; the runs double in length as
/// needed.
class LossCurve {
 public:
  static constexpr std::size_t kMaxPoints = 1024;

  /// Steps come in rising order.
  void add(std::uint64_t step, double loss);
  /// The mean of each run at its last step, the unfinished last run too.
  [[nodiscard]] std::vector<CurvePoint> points() const;

 private:
  struct Run {
    std::uint64_t last_step = 0;
    double loss_sum = 0;
    std::uint64_t count = 0;
  };
  std::vector<Run> runs_;
  std::uint64_t run_length_ = 1;
};

}  // namespace talweg::train
