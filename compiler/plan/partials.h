// What reductions fold, each once: a sum over the model and one per tensor of the same values share
// what the pass leaves for every chunk.
#pragma once

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// Who leaves what a reduction folds.
PartialKind kind_of(const ir::Node& reduction);

/// Fills the reductions of a plan (but for their phases) and its partials.
void find_partials(Plan& plan);

}  // namespace talweg::plan
