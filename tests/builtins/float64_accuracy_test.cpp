// The elementary functions in float64 against MPFR.
#include "tests/builtins/accuracy.h"

using namespace talweg::builtins;
using namespace talweg::builtins::tests;

namespace {

constexpr int kSamples = 1 << 18;

}  // namespace

TEST_CASE("float64 functions of one argument are within their bounds") {
  for (const Case& c : kCases) {
    Worst<double> worst;
    Random random(static_cast<std::uint64_t>(c.op));
    for (const double x : special_doubles()) worst.look(c.op, x, 0);
    for (int i = 0; i < kSamples / 4; ++i) worst.look(c.op, random.any_double(), 0);
    for (int i = 0; i < kSamples / 4 * 3; ++i) worst.look(c.op, c.dense(random), 0);
    require_within(c.op, "float64", worst, c.bound_ulp);
  }
}

TEST_CASE("the arguments nearest to multiples of pi/2 keep every bit") {
  // The float64 nearest to one of them of all (Muller et al., Handbook of Floating-Point
  // Arithmetic).
  const double x = 6381956970095103.0 * std::ldexp(1.0, 797);
  for (const Op op : {Op::Sin, Op::Cos, Op::Tan}) {
    Worst<double> worst;
    for (const double near : {x, -x, std::nextafter(x, 0.0)}) worst.look(op, near, 0);
    require_within(op, "float64", worst, 0.6);
  }
}

TEST_CASE("pow is within its bound") {
  Worst<double> worst;
  Random random(7);
  for (const double x : special_doubles())
    for (const double y : special_doubles())
      if (!std::isnan(x) && !std::isnan(y)) worst.look(Op::Pow, x, y);
  for (int i = 0; i < kSamples / 2; ++i) {
    // beta^t up to a thousand million steps, and results over the whole range.
    const double beta = 1 - random.spread(1e-12, 0.5);
    worst.look(Op::Pow, beta, std::floor(random.spread(1, 1e9)));
    const double x = random.spread(1e-308, 1e308);
    worst.look(Op::Pow, x, random.even(-750, 750) / std::log(x));
  }
  for (int i = 0; i < kSamples / 4; ++i) {
    worst.look(Op::Pow, either_sign(random, random.spread(1e-5, 1e5)), random.even(-60, 60));
    worst.look(Op::Pow, -random.spread(1e-3, 1e3), std::floor(random.even(-60, 60)));
    worst.look(Op::Pow, random.any_double(), random.any_double());
  }
  require_within(Op::Pow, "float64", worst, 0.8);
}
