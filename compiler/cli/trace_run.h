// A rule on a test function, step by step: what `talweg trace` and the REPL show.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "runtime/support/result.h"

namespace talweg::cli {

struct TraceSettings {
  std::string function;       // "rosenbrock"
  std::vector<double> start;  // empty: the function's usual start
  std::uint64_t steps = 100;
  std::vector<std::string> settings;  // texts of --set
};

/// The point before the first step (step 0), then after each.
struct TracePoint {
  std::uint64_t step = 0;
  double value = 0;  // of the function at this point
  std::vector<double> parameters;
};

/// Runs the steps in the program's compute type. Numeric failure, naming the step, when the value
/// or the gradient stops being finite (the points so far were given); Usage for an unknown function
/// or a start of the wrong size. `on_point` returns false to end early.
support::Status run_trace(const TraceSettings& settings,
                          const std::shared_ptr<driver::Program>& program,
                          const std::function<bool(const TracePoint&)>& on_point);

}  // namespace talweg::cli
