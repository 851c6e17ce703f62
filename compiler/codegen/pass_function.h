// One element pass: the walk over the chunk table, and for each chunk the loop version that holds.
#pragma once

#include "compiler/codegen/helper_functions.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// Fills the body of a talweg_pass_function, `function(self, args, chunk_begin, chunk_end)`.
void emit_pass(llvm::Function& function, const plan::Plan& plan, const plan::ElementPass& pass,
               HelperFunctions& helpers);

}  // namespace talweg::codegen
