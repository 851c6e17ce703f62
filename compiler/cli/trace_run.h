// A rule on a test function, step by step: what `talweg trace` and the REPL show.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "runtime/support/result.h"
#include "runtime/train/trajectory.h"

namespace talweg::cli {

struct TraceSettings {
  std::string function;       // "rosenbrock"
  std::vector<double> start;  // empty: the function's usual start
  std::uint64_t steps = 100;
  std::vector<std::string> settings;  // texts of --set
  std::string view;                   // whose points are shown; empty: the parameters
};

using TracePoint = train::TrajectoryPoint;

/// train::follow with a compiled program, in its compute type.
support::Status run_trace(const TraceSettings& settings,
                          const std::shared_ptr<driver::Program>& program,
                          const std::function<bool(const TracePoint&)>& on_point);

}  // namespace talweg::cli
