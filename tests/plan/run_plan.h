// Runs a plan over a few tensors as generated code would: each program and loop computes only the
// nodes it lists, and finds everything else in slots, memory and what reductions gave. Reading a
// value that is nowhere fails the test, and so does any node whose value is not the interpreter's.
#pragma once

#include <set>
#include <utility>

#include "compiler/plan/plan.h"
#include "tests/ir/whole_step.h"

namespace talweg::tests {

/// Loops that ran, by phase and place among the versions of its pass.
using Loops = std::set<std::pair<std::size_t, std::size_t>>;

/// Requires that the plan leaves what its graph says, bit for bit.
Loops require_plan_agrees(const plan::Plan& plan, const StepCase& given);

}  // namespace talweg::tests
