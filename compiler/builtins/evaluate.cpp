// One operation on numbers: arithmetic in the operands' type, elementary functions in float64.
#include "compiler/builtins/evaluate.h"

#include <cmath>

#include "compiler/base/check.h"
#include "compiler/builtins/elementary/elementary.h"

namespace talweg::builtins {

namespace {

/// Where a and b are equal they have the same bits, or are zeros that may differ in sign.
template <class T>
T minimum(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return a + b;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

template <class T>
T maximum(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return a + b;
  if (a == b) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}

template <class T>
T sign(T a) {
  if (std::isnan(a) || a == T(0)) return a;
  return std::copysign(T(1), a);
}

template <class T>
T elementary_function(Op op, const T* x) {
  double operands[2] = {};
  for (int i = 0; i < info(op).arity; ++i) operands[i] = static_cast<double>(x[i]);
  DoubleArithmetic arithmetic;
  return static_cast<T>(elementary(arithmetic, op, operands));
}

template <class T>
T evaluate_in(Op op, const T* x) {
  switch (op) {
    case Op::Add:
      return x[0] + x[1];
    case Op::Sub:
      return x[0] - x[1];
    case Op::Mul:
      return x[0] * x[1];
    case Op::Div:
      return x[0] / x[1];
    case Op::Neg:
      return -x[0];
    case Op::Fma:
      return std::fma(x[0], x[1], x[2]);
    case Op::Sqrt:
      return std::sqrt(x[0]);
    case Op::Abs:
      return std::fabs(x[0]);
    case Op::Min:
      return minimum(x[0], x[1]);
    case Op::Max:
      return maximum(x[0], x[1]);
    case Op::Sign:
      return sign(x[0]);
    case Op::Floor:
      return std::floor(x[0]);
    case Op::Ceil:
      return std::ceil(x[0]);
    case Op::Round:
      return std::nearbyint(x[0]);
    case Op::Trunc:
      return std::trunc(x[0]);
    case Op::Mod:
    case Op::Rsqrt:
    case Op::Exp:
    case Op::Expm1:
    case Op::Log:
    case Op::Log1p:
    case Op::Log2:
    case Op::Pow:
    case Op::Sin:
    case Op::Cos:
    case Op::Tan:
    case Op::Tanh:
    case Op::Atan:
      return elementary_function(op, x);
    case Op::Lt:
      return T(x[0] < x[1]);
    case Op::Le:
      return T(x[0] <= x[1]);
    case Op::Gt:
      return T(x[0] > x[1]);
    case Op::Ge:
      return T(x[0] >= x[1]);
    case Op::Eq:
      return T(x[0] == x[1]);
    case Op::Ne:
      return T(x[0] != x[1]);
    case Op::And:
      return T(x[0] != 0 && x[1] != 0);
    case Op::Or:
      return T(x[0] != 0 || x[1] != 0);
    case Op::Not:
      return T(x[0] == 0);
    case Op::Select:
      return x[0] != 0 ? x[1] : x[2];
    case Op::IsFinite:
      return T(std::isfinite(x[0]));
  }
  TALWEG_UNREACHABLE("an operation outside the enumeration");
}

}  // namespace

double evaluate(Op op, const double* operands) { return evaluate_in(op, operands); }

float evaluate(Op op, const float* operands) { return evaluate_in(op, operands); }

}  // namespace talweg::builtins
