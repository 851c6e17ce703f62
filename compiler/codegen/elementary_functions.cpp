// Instantiates the elementary functions over LLVM values; see elementary_functions.h.
#include "compiler/codegen/elementary_functions.h"

#include "compiler/builtins/elementary/elementary.h"
#include "compiler/codegen/llvm_arithmetic.h"

namespace talweg::codegen {

void emit_elementary_body(llvm::Function& function, builtins::Op op, std::uint32_t width,
                          HelperFunctions& helpers) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  LlvmArithmetic arithmetic(Lanes(ir, width), helpers);
  llvm::SmallVector<LlvmArithmetic::Number, 2> operands;
  for (llvm::Argument& argument : function.args()) operands.push_back({&argument});
  ir.CreateRet(builtins::elementary(arithmetic, op, operands.data()).value);
}

}  // namespace talweg::codegen
