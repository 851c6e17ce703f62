// The range of a hyperparameter: an interval of numbers with open or closed ends.
#pragma once

#include <limits>
#include <string>

namespace talweg::types {

struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_closed = false;   // "[" rather than "("
  bool high_closed = false;  // "]" rather than ")"

  /// NaN is in no interval.
  [[nodiscard]] bool contains(double value) const {
    return (low_closed ? value >= low : value > low) &&
           (high_closed ? value <= high : value < high);
  }
  bool operator==(const Interval&) const = default;
};

/// As it is written in a rule: "[0, inf)".
std::string to_text(const Interval& interval);
/// The shortest decimal text that reads back as the same double ("0.1", "1e-08", "inf").
std::string number_text(double value);

}  // namespace talweg::types
