// The elementary functions by operation: the one place that knows which are written over an
// arithmetic.
#pragma once

#include "compiler/base/check.h"
#include "compiler/builtins/elementary/atan.h"
#include "compiler/builtins/elementary/exp.h"
#include "compiler/builtins/elementary/log.h"
#include "compiler/builtins/elementary/mod.h"
#include "compiler/builtins/elementary/pow.h"
#include "compiler/builtins/elementary/rsqrt.h"
#include "compiler/builtins/elementary/tanh.h"
#include "compiler/builtins/elementary/trig.h"
#include "compiler/builtins/op.h"

namespace talweg::builtins {

/// True for the operations that elementary() computes: in float64 always, and rounded for float32.
constexpr bool is_elementary(Op op) { return op >= Op::Mod && op <= Op::Atan; }
static_assert(is_elementary(Op::Rsqrt) && is_elementary(Op::Pow));
static_assert(!is_elementary(Op::Trunc) && !is_elementary(Op::Lt));

/// `op`, for which is_elementary holds, on its operands x.
template <class A>
typename A::Number elementary(A& a, Op op, const typename A::Number* x) {
  switch (op) {
    case Op::Mod:
      return mod(a, x[0], x[1]);
    case Op::Rsqrt:
      return rsqrt(a, x[0]);
    case Op::Exp:
      return exp(a, x[0]);
    case Op::Expm1:
      return expm1(a, x[0]);
    case Op::Log:
      return log(a, x[0]);
    case Op::Log1p:
      return log1p(a, x[0]);
    case Op::Log2:
      return log2(a, x[0]);
    case Op::Pow:
      return pow(a, x[0], x[1]);
    case Op::Sin:
      return sin(a, x[0]);
    case Op::Cos:
      return cos(a, x[0]);
    case Op::Tan:
      return tan(a, x[0]);
    case Op::Tanh:
      return tanh(a, x[0]);
    case Op::Atan:
      return atan(a, x[0]);
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
    case Op::IsFinite:
      break;
  }
  TALWEG_UNREACHABLE("not an elementary function");
}

}  // namespace talweg::builtins
