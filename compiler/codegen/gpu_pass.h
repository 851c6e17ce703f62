// A pass over elements as a kernel of a GPU; see runtime/abi/talweg_gpu_abi.h.
//
// A warp works on at most two segments of a chunk. Sixteen threads have a segment, and each of them
// four of its 64 lanes, in registers: elements come in vectors of four, 64 a turn, so that they
// join their lanes in order. Lanes are folded by exchanges within the warp; only the segments of a
// long chunk meet in the block's memory.
#pragma once

#include "compiler/codegen/helper_functions.h"
#include "compiler/plan/plan.h"

namespace talweg::codegen {

/// Body of a kernel with the parameters of talweg_gpu_abi.h.
void emit_gpu_pass(llvm::Function& kernel, const plan::Plan& plan, const plan::ElementPass& pass,
                   HelperFunctions& helpers);

}  // namespace talweg::codegen
