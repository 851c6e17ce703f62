// A pass over lines as a kernel of a GPU: a block of threads works on a block of rows. Columns are
// added up by a thread each; rows by a warp each, whose threads have the 64 lanes of a segment
// among them.
#pragma once

#include "compiler/codegen/helper_functions.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// Body of a kernel with the parameters of talweg_gpu_abi.h, which runs a row block a block of
/// threads.
void emit_gpu_lines(llvm::Function& kernel, const plan::Plan& plan, const plan::ElementPass& pass,
                    HelperFunctions& helpers);

}  // namespace talweg::codegen
