// Which scalar values a step computes, where, and which of them it keeps for later code.
#pragma once

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// Fills `plan.model` and `plan.group` with what the plan's passes, stores of scalar states and
/// bound hypers need.
void place_scalars(Plan& plan);

}  // namespace talweg::plan
