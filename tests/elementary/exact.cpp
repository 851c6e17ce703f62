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

void compute(Op op, mpfr_ptr out, mpfr_ptr x, mpfr_ptr y) {
  switch (op) {
    case Op::Rsqrt:
      // IEEE 754 gives -0 an infinity of its sign, MPFR does not.
      if (mpfr_zero_p(x))
        mpfr_set_inf(out, mpfr_signbit(x) ? -1 : 1);
      else
        mpfr_rec_sqrt(out, x, MPFR_RNDN);
      return;
    case Op::Exp:
      mpfr_exp(out, x, MPFR_RNDN);
      return;
    case Op::Expm1:
      mpfr_expm1(out, x, MPFR_RNDN);
      return;
    case Op::Log:
      mpfr_log(out, x, MPFR_RNDN);
      return;
    case Op::Log1p:
      mpfr_log1p(out, x, MPFR_RNDN);
      return;
    case Op::Log2:
      mpfr_log2(out, x, MPFR_RNDN);
      return;
    case Op::Pow:
      mpfr_pow(out, x, y, MPFR_RNDN);
      return;
    case Op::Sin:
      mpfr_sin(out, x, MPFR_RNDN);
      return;
    case Op::Cos:
      mpfr_cos(out, x, MPFR_RNDN);
      return;
    case Op::Tan:
      mpfr_tan(out, x, MPFR_RNDN);
      return;
    case Op::Tanh:
      mpfr_tanh(out, x, MPFR_RNDN);
      return;
    case Op::Atan:
      mpfr_atan(out, x, MPFR_RNDN);
      return;
    default:
      break;
  }
  TALWEG_UNREACHABLE("no exact value of this operation");
}

template <class T>
double error_of(Op op, const T* operands, T result) {
  constexpr mpfr_prec_t kPrecision = 2 * std::numeric_limits<T>::digits + 12;
  Real x(kPrecision, static_cast<double>(operands[0]));
  Real y(kPrecision, info(op).arity == 2 ? static_cast<double>(operands[1]) : 0.0);
  Real exact(kPrecision);
  compute(op, exact.get(), x.get(), y.get());
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

double error_ulp(Op op, const double* operands, double result) {
  return error_of(op, operands, result);
}

double error_ulp(Op op, const float* operands, float result) {
  return error_of(op, operands, result);
}

}  // namespace talweg::builtins::tests
