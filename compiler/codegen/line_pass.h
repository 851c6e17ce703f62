// The pass over lines: elements, row block by row block, for folds per row and per column.
#pragma once

#include "compiler/codegen/helper_functions.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// Fills the body of a talweg_line_function over row blocks.
void emit_line_pass(llvm::Function& function, const plan::Plan& plan, const plan::ElementPass& pass,
                    HelperFunctions& helpers);

}  // namespace talweg::codegen
