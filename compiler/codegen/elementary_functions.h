// Bodies of elementary functions: the templates of compiler/builtins/elementary, run over LLVM
// values.
#pragma once

#include "compiler/builtins/op.h"
#include "compiler/codegen/helper_functions.h"

namespace talweg::codegen {

/// Fills `function`, which takes and gives float64 of `width` lanes. `op` is Mod, Rsqrt or one
/// after it that is a function of numbers.
void emit_elementary_body(llvm::Function& function, builtins::Op op, std::uint32_t width,
                          HelperFunctions& helpers);

}  // namespace talweg::codegen
