// Round ticks.
#include "runtime/train/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace talweg::train {
namespace {

constexpr int kFewDecades = 3;
constexpr int kManyDecades = 8;

double round_step(double rough) {
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

std::string tick_label(double value) {
  const double magnitude = std::abs(value);
  if (value != 0 && (magnitude >= 1e6 || magnitude < 1e-4)) return fmt::format("{:.6g}", value);
  return fmt::format("{:g}", value);
}

}  // namespace

double Axis::place(double value) const {
  if (is_log) return (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low));
  return (value - low) / (high - low);
}

Axis linear_axis(double low, double high, int ticks) {
  if (!(high > low)) {
    const double margin = std::max(std::abs(low) * 0.1, 1e-9);
    high = low + margin;
    low -= margin;
  }
  const double step = round_step(high / ticks - low / ticks);
  Axis axis{std::floor(low / step) * step, std::ceil(high / step) * step, false, {}};
  const auto count = static_cast<int>(std::lround((axis.high - axis.low) / step));
  for (int i = 0; i <= count; ++i) {
    double value = axis.low + i * step;
    if (std::abs(value) < step * 1e-9) value = 0;
    axis.ticks.push_back({value, tick_label(value)});
  }
  return axis;
}

Axis log_axis(double low, double high) {
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = std::max(first + 1, static_cast<int>(std::ceil(std::log10(high))));
  Axis axis{std::pow(10, first), std::pow(10, last), true, {}};
  const int every =
      last - first > kManyDecades ? (last - first + kManyDecades - 1) / kManyDecades : 1;
  for (int decade = first; decade <= last; decade += every) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor > 1 && (last - first > kFewDecades || decade == last)) break;
      const double value = factor * std::pow(10, decade);
      axis.ticks.push_back({value, tick_label(value)});
    }
  }
  return axis;
}

}  // namespace talweg::train
