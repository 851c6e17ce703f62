// Measuring the error of the elementary functions against MPFR and holding it to the bounds that
// docs/numerics.md states. The measured maxima are printed: the table there comes from this output.
#pragma once

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "compiler/builtins/evaluate.h"
#include "tests/elementary/cases.h"
#include "tests/elementary/exact.h"

namespace talweg::builtins::tests {

/// The largest error seen, and where.
template <class T>
struct Worst {
  double ulp = 0;
  T operands[2] = {};

  void look(Op op, T x, T y) {
    const T arguments[2] = {x, y};
    const double error = error_ulp(op, arguments, evaluate(op, arguments));
    if (error <= ulp) return;
    ulp = error;
    operands[0] = x;
    operands[1] = y;
  }
};

template <class T>
void require_within(Op op, const char* type, const Worst<T>& worst, double bound) {
  char text[160];
  std::snprintf(text, sizeof text, "%-6s %s %.4f ulp (bound %.3g) at %a %a",
                std::string(info(op).name).c_str(), type, worst.ulp, bound,
                static_cast<double>(worst.operands[0]), static_cast<double>(worst.operands[1]));
  std::puts(text);
  INFO(text);
  CHECK(worst.ulp <= bound);
}

}  // namespace talweg::builtins::tests
