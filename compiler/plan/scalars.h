// Which scalar values a step computes, where, and which of them it keeps for later code.
#pragma once

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// Fills the scalar programs of all phases, and the slots, with what passes, stores of scalar
/// states, bound hypers, the end of the call and reductions of slower values need.
void place_scalars(Plan& plan);

}  // namespace talweg::plan
