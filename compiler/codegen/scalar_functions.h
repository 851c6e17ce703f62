// The scalar functions of an image: what differs per step (model) and per group in one phase, and
// initial states.
#pragma once

#include "compiler/codegen/helper_functions.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// Bodies of talweg_scalar_function, `function(self, args)`, each ending in a return.
void emit_model_scalars(llvm::Function& function, const plan::Plan& plan, std::uint32_t phase,
                        HelperFunctions& helpers);
void emit_group_scalars(llvm::Function& function, const plan::Plan& plan, std::uint32_t phase,
                        HelperFunctions& helpers);
void emit_initial_states(llvm::Function& function, const plan::Plan& plan,
                         HelperFunctions& helpers);
/// Body of a talweg_place_function.
void emit_placement(llvm::Function& function, const plan::Plan& plan, HelperFunctions& helpers);

}  // namespace talweg::codegen
