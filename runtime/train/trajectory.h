// A run on a test function: every point, and as CSV.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/loop.h"
#include "runtime/train/session.h"

namespace talweg::train {

struct TrajectoryPoint {
  std::uint64_t step = 0;  // completed updates: 0 is the start
  double value = 0;        // of the function there
  std::vector<double> x;
};

struct Trajectory {
  std::vector<TrajectoryPoint> points;  // steps + 1
  LoopOutcome outcome;
};

struct FunctionRun {
  std::string function;       // see test_functions()
  std::vector<double> start;  // empty: the usual one
  std::uint64_t steps = 100;
  talweg_dtype dtype = TALWEG_F64;
};

/// Minimises a test function with the rule behind `make_optimizer`, through run_loop. A value that
/// stops being finite ends it with outcome.cause NotFinite.
support::Result<Trajectory> follow(const FunctionRun& run, const OptimizerFactory& make_optimizer,
                                   const LoopHooks& hooks = {});

/// `step,value,x0,x1,...`, numbers in the shortest form that reads back exactly.
std::string trajectory_csv(const Trajectory& trajectory);

}  // namespace talweg::train
