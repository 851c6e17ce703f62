// The elementary functions in float32, the float64 value rounded: against MPFR on special values,
// and on many arguments against a float64 reference (float32_check.h). All 2^32 arguments are the
// work of campaign.cpp.
#include <bit>
#include <tuple>
#include <vector>

#include "tests/elementary/accuracy.h"
#include "tests/elementary/float32_check.h"
#include "tests/elementary/lanes.h"
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
  CHECK(seen.worst_reference_ulp <= kReferenceBound);
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
    std::vector<float> arguments;
    for (std::uint64_t i = 0; i < samples / 2; ++i) {
      arguments.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(i) * stride));
      arguments.push_back(static_cast<float>(c.dense(random)));
    }
    look_at_float32(c.op, arguments, {}, seen);
    require_good(c.op, seen);
  }
}

TEST_CASE("pow is within its bound in float32") {
  Float32Seen seen;
  Random random(8);
  const std::uint64_t samples = talweg::tests::sample_size(std::uint64_t{1} << 22);
  std::vector<float> bases(samples), exponents(samples);
  for (std::uint64_t i = 0; i < samples; ++i)
    std::tie(bases[i], exponents[i]) = pow_operands_float(random);
  look_at_float32(Op::Pow, bases, exponents, seen);
  require_good(Op::Pow, seen);
}

TEST_CASE("eight arguments at a time give the interpreter's bits, and the same distances") {
  if (!has_lanes()) {
    WARN("this machine looks at one argument at a time");
    return;
  }
  std::vector<Op> ops{Op::Pow};
  for (const Case& c : kCases) ops.push_back(c.op);
  for (const Op op : ops) {
    Random random(9);
    std::vector<float> x, y;
    for (const double special : special_doubles()) {
      x.push_back(static_cast<float>(special));
      y.push_back(static_cast<float>(x.size() % 5) - 2);
    }
    while (x.size() < 1 << 14) {
      const auto [base, exponent] = pow_operands_float(random);
      x.push_back(base);
      y.push_back(exponent);
    }
    std::vector<float> results(x.size());
    std::vector<double> references(x.size()), distances(x.size());
    compute_lanes(op, x.data(), y.data(), x.size(), results.data(), references.data(),
                  distances.data());
    std::size_t same = 0, near = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float operands[2] = {x[i], y[i]};
      const float result = evaluate(op, operands);
      const bool both_nan = std::isnan(result) && std::isnan(results[i]);
      same += both_nan ||
              std::bit_cast<std::uint32_t>(result) == std::bit_cast<std::uint32_t>(results[i]);
      Float32Seen one;
      look_at_float32(op, x[i], y[i], one);
      near += std::fabs(one.worst_ulp - distances[i]) <= kReferenceBound;
    }
    INFO(info(op).name);
    CHECK(same == x.size());
    CHECK(near == x.size());
  }
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
