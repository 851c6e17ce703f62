// The elementary functions in float32, the float64 value rounded, against MPFR.
#include "tests/builtins/accuracy.h"

using namespace talweg::builtins;
using namespace talweg::builtins::tests;

namespace {

constexpr int kSamples = 1 << 20;

}  // namespace

TEST_CASE("float32 functions of one argument are within their bounds") {
  for (const Case& c : kCases) {
    Worst<float> worst;
    Random random(100 + static_cast<std::uint64_t>(c.op));
    for (const double x : special_doubles()) worst.look(c.op, static_cast<float>(x), 0);
    for (int i = 0; i < kSamples / 2; ++i) {
      worst.look(c.op, random.any_float(), 0);
      worst.look(c.op, static_cast<float>(c.dense(random)), 0);
    }
    require_within(c.op, "float32", worst, 0.501);
  }
}

TEST_CASE("pow is within its bound in float32") {
  Worst<float> worst;
  Random random(8);
  for (int i = 0; i < kSamples / 4; ++i) {
    const double x = random.spread(1e-38, 1e38);
    worst.look(Op::Pow, static_cast<float>(x),
               static_cast<float>(random.even(-100, 100) / std::log(x)));
    worst.look(Op::Pow, random.any_float(), random.any_float());
  }
  require_within(Op::Pow, "float32", worst, 0.501);
}
