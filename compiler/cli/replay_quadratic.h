// The problem of the cases with a second gradient: a quadratic in a vector and a matrix that are
// coupled through their first elements.
#pragma once

#include "compiler/cli/replay_case.h"
#include "runtime/train/callback_objective.h"

namespace talweg::cli {

/// f(x, W) = x.A.x / 2 - b.x + sum(C W^2 / 2 + D W) + x_0 W_00 / 4, from the case's start.
/// Failure (Usage) where the sizes of its tensors and of the problem's data do not fit.
support::Result<train::CallbackObjective<double>> quadratic_objective(const ReplayCase& reference);

}  // namespace talweg::cli
