#include "tests/elementary/exact.h"

#include <mpfr.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/base/check.h"

namespace talweg::builtins::tests {

namespace {

class Real {
 public:
  explicit Real(mpfr_prec_t precision) { mpfr_init2(value_, precision); }
  Real(mpfr_prec_t precision, double value) : Real(precision) {
    mpfr_set_d(value_, value, MPFR_RNDN);
  }
  ~Real() { mpfr_clear(value_); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
  mpfr_ptr get() { return value_; }

 private:
  mpfr_t value_;
};

/// What an operation is compared with.
struct Functions {
  void (*exact)(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr y);
  double (*plain)(double x, double y);
};

template <int (*exact)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t), double (*plain)(double)>
constexpr Functions kUnary = {
    [](mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr /*y*/) { exact(out, x, MPFR_RNDN); },
    [](double x, double /*y*/) { return plain(x); }};

/// IEEE 754 gives -0 an infinity of its sign, MPFR does not.
int exact_rsqrt(mpfr_ptr out, mpfr_srcptr x, mpfr_rnd_t rounding) {
  if (!mpfr_zero_p(x)) return mpfr_rec_sqrt(out, x, rounding);
  mpfr_set_inf(out, mpfr_signbit(x) ? -1 : 1);
  return 0;
}

double plain_rsqrt(double x) { return 1 / std::sqrt(x); }

Functions functions_of(Op op) {
  switch (op) {
    case Op::Rsqrt:
      return kUnary<exact_rsqrt, plain_rsqrt>;
    case Op::Pow:
      return {[](mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr y) { mpfr_pow(out, x, y, MPFR_RNDN); },
              [](double x, double y) { return std::pow(x, y); }};
    case Op::Exp:
      return kUnary<mpfr_exp, std::exp>;
    case Op::Expm1:
      return kUnary<mpfr_expm1, std::expm1>;
    case Op::Log:
      return kUnary<mpfr_log, std::log>;
    case Op::Log1p:
      return kUnary<mpfr_log1p, std::log1p>;
    case Op::Log2:
      return kUnary<mpfr_log2, std::log2>;
    case Op::Sin:
      return kUnary<mpfr_sin, std::sin>;
    case Op::Cos:
      return kUnary<mpfr_cos, std::cos>;
    case Op::Tan:
      return kUnary<mpfr_tan, std::tan>;
    case Op::Tanh:
      return kUnary<mpfr_tanh, std::tanh>;
    case Op::Atan:
      return kUnary<mpfr_atan, std::atan>;
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
    case Op::Mod:
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
  TALWEG_UNREACHABLE("no function to compare this operation with");
}

template <class T>
double error_of(Op op, const T* operands, T result) {
  constexpr mpfr_prec_t kPrecision = 2 * std::numeric_limits<T>::digits + 12;
  Real x(kPrecision, static_cast<double>(operands[0]));
  Real y(kPrecision, info(op).arity == 2 ? static_cast<double>(operands[1]) : 0.0);
  Real exact(kPrecision);
  functions_of(op).exact(exact.get(), x.get(), y.get());
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  if (mpfr_nan_p(exact.get()) || std::isnan(result))
    return mpfr_nan_p(exact.get()) && std::isnan(result) ? 0 : kWrong;

  using Limits = std::numeric_limits<T>;
  if (mpfr_inf_p(exact.get()))
    return std::isinf(result) && std::signbit(result) == (mpfr_sgn(exact.get()) < 0) ? 0 : kWrong;
  Real given(kPrecision);
  if (std::isinf(result)) {
    mpfr_set_si_2exp(given.get(), std::signbit(result) ? -1 : 1, Limits::max_exponent, MPFR_RNDN);
  } else {
    mpfr_set_d(given.get(), static_cast<double>(result), MPFR_RNDN);
  }
  // Beyond the range every value counts as the first one outside.
  Real limit(kPrecision);
  mpfr_set_si_2exp(limit.get(), 1, Limits::max_exponent, MPFR_RNDN);
  if (mpfr_cmpabs(exact.get(), limit.get()) > 0)
    mpfr_copysign(exact.get(), limit.get(), exact.get(), MPFR_RNDN);

  // MPFR's exponent is one more than IEEE 754's; that of zero is irrelevant.
  const long binade = mpfr_zero_p(exact.get())
                          ? Limits::min_exponent
                          : std::max<long>(mpfr_get_exp(exact.get()), Limits::min_exponent);
  const long ulp_exponent = std::min<long>(binade, Limits::max_exponent) - Limits::digits;
  mpfr_sub(given.get(), given.get(), exact.get(), MPFR_RNDN);
  mpfr_div_2si(given.get(), given.get(), ulp_exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(given.get(), MPFR_RNDN));
}

}  // namespace

double plain_value(Op op, double x, double y) { return functions_of(op).plain(x, y); }

double error_ulp(Op op, const double* operands, double result) {
  return error_of(op, operands, result);
}

double error_ulp(Op op, const float* operands, float result) {
  return error_of(op, operands, result);
}

}  // namespace talweg::builtins::tests
