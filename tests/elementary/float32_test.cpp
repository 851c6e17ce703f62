// The elementary functions in float32, the float64 value rounded: against MPFR on special values,
// and on many arguments against a float64 reference (float32_check.h). All 2^32 arguments are the
// work of campaign.cpp.
#include <bit>

#include "tests/elementary/accuracy.h"
#include "tests/elementary/float32_check.h"
#include "tests/sample_size.h"

using namespace talweg::builtins;
using namespace talweg::builtins::tests;

namespace {

void require_good(Op op, const Float32Seen& seen) {
  std::printf("%-6s float32 %.6f ulp at %a %a; %llu arguments, %llu decided by MPFR\n",
              std::string(info(op).name).c_str(), seen.worst_ulp,
              static_cast<double>(seen.worst[0]), static_cast<double>(seen.worst[1]),
              static_cast<unsigned long long>(seen.arguments),
              static_cast<unsigned long long>(seen.decided_by_mpfr));
  INFO(info(op).name << " at " << seen.worst[0] << " " << seen.worst[1]);
  CHECK(seen.worst_ulp <= kFloat32Bound);
  CHECK(seen.worst_reference_ulp < 0x1p-20);
}

}  // namespace

TEST_CASE("float32 functions of one argument are within their bounds") {
  const std::uint64_t samples = talweg::tests::sample_size(std::uint64_t{1} << 22);
  for (const Case& c : kCases) {
    Worst<float> special;
    for (const double x : special_doubles()) special.look(c.op, static_cast<float>(x), 0);
    require_within(c.op, "float32", special, kFloat32Bound);
    Float32Seen seen;
    Random random(100 + static_cast<std::uint64_t>(c.op));
    // Half of them evenly over all bit patterns, with a stride that is prime to 2^32.
    const auto stride = static_cast<std::uint32_t>((std::uint64_t{1} << 33) / samples) | 1u;
    for (std::uint64_t i = 0; i < samples / 2; ++i) {
      look_at_float32(c.op, std::bit_cast<float>(static_cast<std::uint32_t>(i) * stride), 0, seen);
      look_at_float32(c.op, static_cast<float>(c.dense(random)), 0, seen);
    }
    require_good(c.op, seen);
  }
}

TEST_CASE("pow is within its bound in float32") {
  Float32Seen seen;
  Random random(8);
  const std::uint64_t samples = talweg::tests::sample_size(std::uint64_t{1} << 22);
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto [x, y] = pow_operands_float(random);
    look_at_float32(Op::Pow, x, y, seen);
  }
  require_good(Op::Pow, seen);
}

TEST_CASE("a result that is off is seen, and MPFR decides") {
  // exp's value where sin's is asked for: one wrong function stands for any wrong result.
  Worst<float> worst;
  const float x[2] = {0.5F, 0};
  CHECK(error_ulp(Op::Sin, x, evaluate(Op::Exp, x)) > 1e6);
  CHECK(error_ulp(Op::Sin, x, std::nextafter(evaluate(Op::Sin, x), 1.0F)) > kFloat32Bound);
  // The zero of sin nearest to a float32: the reference cannot be far off there either.
  Float32Seen seen;
  look_at_float32(Op::Sin, 0x1.921fb6p+1F, 0, seen);
  look_at_float32(Op::Exp, 88.8F, 0, seen);
  look_at_float32(Op::Log, -1.0F, 0, seen);
  look_at_float32(Op::Log, 0.0F, 0, seen);
  CHECK(seen.arguments == 4);
  CHECK(seen.worst_ulp <= kFloat32Bound);
}
