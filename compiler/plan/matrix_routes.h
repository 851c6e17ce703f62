// Which tensors of a plan can be seen as matrices.
#pragma once

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// False if the conditions of a route exclude every rank from 2 on, as far as ranks alone tell.
bool may_have_matrices(const ir::Graph& graph, const Route& route);

}  // namespace talweg::plan
