// One operation on numbers: the definition that the interpreter, constant folding and every target
// share.
//
// Arithmetic is computed in the type of the operands, each operation rounded once. Mod and the
// functions from Rsqrt on are computed in float64 (compiler/builtins/elementary); float32 rounds
// that result once.
#pragma once

#include "compiler/builtins/op.h"

namespace talweg::builtins {

/// `op` on info(op).arity operands. A truth value is 0 or 1, as operand (only 0 is false) and as
/// result. Relies on the default rounding mode and on subnormals being kept (no FTZ or DAZ).
double evaluate(Op op, const double* operands);
float evaluate(Op op, const float* operands);

}  // namespace talweg::builtins
