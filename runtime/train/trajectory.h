// An optimizer's way over a test function: each point as it is reached, and as a line of CSV.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/session.h"
#include "runtime/train/test_functions.h"

namespace talweg::train {

struct TrajectoryPoint {
  std::uint64_t step = 0;  // completed updates: 0 is the start
  double value = 0;        // of the function there
  std::vector<double> parameters;
};

/// Where an objective over `function` stands after `step` updates.
template <class Scalar>
TrajectoryPoint point_after(std::uint64_t step, const TestFunction& function,
                            CallbackObjective<Scalar>& objective) {
  const auto values = objective.values(0);
  TrajectoryPoint point{step, 0, {values.begin(), values.end()}};
  point.value = function.value(point.parameters);
  return point;
}

struct FunctionRun {
  std::string function;       // see test_functions()
  std::vector<double> start;  // empty: the usual one
  std::uint64_t steps = 100;
  talweg_dtype dtype = TALWEG_F64;
  std::string view = {};  // of the rule: points are its, not the parameters'; empty: none
};

/// Minimises a test function with the rule behind `make_optimizer`, through run_loop. `on_point` is
/// given the start and the point after each step, and returns false to end early. Numeric failure,
/// naming the step, when the value, the gradient or a parameter stops being finite (the points so
/// far were given); Usage for an unknown function or view, or a start of the wrong size.
support::Status follow(const FunctionRun& run, const OptimizerFactory& make_optimizer,
                       const std::function<bool(const TrajectoryPoint&)>& on_point);

/// `step,value,x0,x1,...`, then a line a point; numbers in the shortest form that reads back
/// exactly.
std::string trajectory_header(std::size_t dimensions);
std::string trajectory_line(const TrajectoryPoint& point);

}  // namespace talweg::train
