// Functions on which optimizers are compared: value, gradient, usual start and known minima.
// Sources: M. Jamil & X.-S. Yang, "A literature survey of benchmark functions for global
// optimization problems" (2013), and the paper named at a function's row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/callback_objective.h"

namespace talweg::train {

struct TestFunction {
  std::string_view name;
  std::string_view formula;  // for lists and help
  double (*value)(std::span<const double> x);
  void (*gradient)(std::span<const double> x, std::span<double> out);
  std::uint32_t dimensions = 2;             // the only number of dimensions; 0: any from 2
  std::vector<double> start;                // the usual one (in 2 dimensions)
  std::vector<std::vector<double>> minima;  // global ones (in 2 dimensions); empty: unbounded below
  double minimum = 0;                       // value there
};

/// All of them, in the order they are listed to users.
std::span<const TestFunction> test_functions();

/// By name. Usage failure with a suggestion and the list.
support::Result<const TestFunction*> find_test_function(std::string_view name);

/// The function as an objective with one tensor `x` of shape [dimensions]; computed in float64,
/// rounded to Scalar. `start` empty: the usual one. Refused (Usage): a start of the wrong length,
/// or not finite.
template <class Scalar>
support::Result<CallbackObjective<Scalar>> function_objective(const TestFunction& function,
                                                              std::span<const double> start);

extern template support::Result<CallbackObjective<float>> function_objective<float>(
    const TestFunction&, std::span<const double>);
extern template support::Result<CallbackObjective<double>> function_objective<double>(
    const TestFunction&, std::span<const double>);

}  // namespace talweg::train
