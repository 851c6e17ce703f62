// The elementary functions in float64 against MPFR.
#include "tests/elementary/accuracy.h"
#include "tests/sample_size.h"

using namespace talweg::builtins;
using namespace talweg::builtins::tests;

namespace {

constexpr std::uint64_t kSamples = 1 << 18;

}  // namespace

TEST_CASE("float64 functions of one argument are within their bounds") {
  for (const Case& c : kCases) {
    Worst<double> worst;
    Random random(static_cast<std::uint64_t>(c.op));
    for (const double x : special_doubles()) worst.look(c.op, x, 0);
    const std::uint64_t quarter = talweg::tests::sample_size(kSamples / 4);
    for (std::uint64_t i = 0; i < quarter; ++i) worst.look(c.op, random.any_double(), 0);
    for (std::uint64_t i = 0; i < quarter * 3; ++i) worst.look(c.op, c.dense(random), 0);
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
  const std::uint64_t samples = talweg::tests::sample_size(2 * kSamples);
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto [x, y] = pow_operands(random);
    worst.look(Op::Pow, x, y);
  }
  require_within(Op::Pow, "float64", worst, kPowBound);
}
