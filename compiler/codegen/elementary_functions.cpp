// Instantiates the elementary functions over LLVM values; see elementary_functions.h.
#include "compiler/codegen/elementary_functions.h"

#include "compiler/base/check.h"
#include "compiler/builtins/elementary/atan.h"
#include "compiler/builtins/elementary/exp.h"
#include "compiler/builtins/elementary/log.h"
#include "compiler/builtins/elementary/mod.h"
#include "compiler/builtins/elementary/pow.h"
#include "compiler/builtins/elementary/rsqrt.h"
#include "compiler/builtins/elementary/tanh.h"
#include "compiler/codegen/llvm_arithmetic.h"

namespace talweg::codegen {

namespace {

using Number = LlvmArithmetic::Number;

Number emit(LlvmArithmetic& a, builtins::Op op, Number x, Number y) {
  using builtins::Op;
  switch (op) {
    case Op::Mod: return builtins::mod(a, x, y);
    case Op::Rsqrt: return builtins::rsqrt(a, x);
    case Op::Exp: return builtins::exp(a, x);
    case Op::Expm1: return builtins::expm1(a, x);
    case Op::Log: return builtins::log(a, x);
    case Op::Log1p: return builtins::log1p(a, x);
    case Op::Log2: return builtins::log2(a, x);
    case Op::Pow: return builtins::pow(a, x, y);
    case Op::Tanh: return builtins::tanh(a, x);
    case Op::Atan: return builtins::atan(a, x);
    case Op::Sin:
    case Op::Cos:
    case Op::Tan:
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
    case Op::Neg:
    case Op::Fma:
    case Op::Sqrt:
    case Op::Abs:
    case Op::Min:
    case Op::Max:
    case Op::Sign:
    case Op::Floor:
    case Op::Ceil:
    case Op::Round:
    case Op::Trunc:
    case Op::Lt:
    case Op::Le:
    case Op::Gt:
    case Op::Ge:
    case Op::Eq:
    case Op::Ne:
    case Op::And:
    case Op::Or:
    case Op::Not:
    case Op::Select:
    case Op::IsFinite: break;
  }
  TALWEG_UNREACHABLE("an operation that is no elementary function");
}

}  // namespace

void emit_elementary_body(llvm::Function& function, builtins::Op op, std::uint32_t width,
                          HelperFunctions& helpers) {
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "entry", &function));
  LlvmArithmetic arithmetic(Lanes(ir, width), helpers);
  const Number first{function.getArg(0)};
  const Number last{function.getArg(static_cast<unsigned>(function.arg_size()) - 1)};
  ir.CreateRet(emit(arithmetic, op, first, last).value);
}

}  // namespace talweg::codegen
