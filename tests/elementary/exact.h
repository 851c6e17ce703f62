// Outside truth for the functions: their value by MPFR, in twice the precision of the type and
// more, and the error of a result in
// units in the last place (ulp) of its type.
#pragma once

#include "compiler/builtins/op.h"

namespace talweg::builtins::tests {

/// |result - op(operands)| in ulps, where an ulp is that of the exact value's binade (of the
/// smallest normal one below it). Infinity stands for 2^1024 (float32: 2^128). Infinite if one is
/// NaN and the other not. The functions from Rsqrt to Atan only.
double error_ulp(Op op, const double* operands, double result);
double error_ulp(Op op, const float* operands, float result);

/// By the C library, in float64; `y` is for those of two operands. The same functions.
double plain_value(Op op, double x, double y);

}  // namespace talweg::builtins::tests
