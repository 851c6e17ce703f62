// An axis of a plot: its range and the values that get a tick, linear or logarithmic.
#pragma once

#include <string>
#include <vector>

namespace talweg::train {

struct AxisTick {
  double value = 0;
  std::string label;
};

struct Axis {
  double low = 0, high = 1;  // low < high; above 0 when logarithmic
  bool is_log = false;
  std::vector<AxisTick> ticks;

  /// Place of a value: 0 at low, 1 at high.
  [[nodiscard]] double place(double value) const;
};

/// Covers low to high with a round step (1, 2 or 5 times a power of ten), some `ticks` of them.
/// Equal or reversed bounds are widened.
Axis linear_axis(double low, double high, int ticks);
/// Decades; 2 and 5 between them when there are few. 0 < low.
Axis log_axis(double low, double high);

}  // namespace talweg::train
