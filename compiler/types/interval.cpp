#include "compiler/types/interval.h"

#include <fmt/format.h>

#include <cmath>

namespace talweg::types {

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return fmt::format("{}", value);
}

std::string to_text(const Interval& interval) {
  return fmt::format("{}{}, {}{}", interval.low_closed ? '[' : '(', number_text(interval.low),
                     number_text(interval.high), interval.high_closed ? ']' : ')');
}

}  // namespace talweg::types
