// The functions of one phase for what differs per tensor, matrix, row or column.
#pragma once

#include "compiler/codegen/helper_functions.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// Body of a talweg_tensor_function (Level::Tensor) or talweg_line_function (Matrix, Row, Col).
void emit_level_function(llvm::Function& function, const plan::Plan& plan, plan::Level level,
                         std::uint32_t phase, HelperFunctions& helpers);

}  // namespace talweg::codegen
