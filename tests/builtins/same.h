// Equality of numbers as the language promises it: the same bits, and all NaN the same.
#pragma once

#include <cmath>

#include "compiler/builtins/evaluate.h"

namespace talweg::builtins::tests {

inline bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

inline double call(Op op, double a, double b = 0, double c = 0) {
  const double operands[3] = {a, b, c};
  return evaluate(op, operands);
}

inline float call_float(Op op, float a, float b = 0, float c = 0) {
  const float operands[3] = {a, b, c};
  return evaluate(op, operands);
}

}  // namespace talweg::builtins::tests
