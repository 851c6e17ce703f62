// Elementary functions where their value is known exactly: zeros, infinities, NaN, the ends of the
// range, exact powers; and that they rise where they should, sampled.
#include <catch2/catch.hpp>
#include <limits>

#include "tests/builtins/same.h"
#include "tests/builtins/samples.h"

using namespace talweg::builtins;
using namespace talweg::builtins::tests;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();

struct Row {
  Op op;
  double x, expected;
};

struct PowRow {
  double x, y, expected;
};

}  // namespace

TEST_CASE("functions of one argument at their special points") {
  const Row rows[] = {
      {Op::Rsqrt, 0.0, kInf},
      {Op::Rsqrt, -0.0, -kInf},
      {Op::Rsqrt, kInf, 0.0},
      {Op::Rsqrt, -1, kNan},
      {Op::Rsqrt, -kInf, kNan},
      {Op::Rsqrt, 4, 0.5},
      {Op::Rsqrt, 0x1p-1074, 0x1p537},
      {Op::Rsqrt, 0x1p1022, 0x1p-511},
      {Op::Exp, 0.0, 1},
      {Op::Exp, -0.0, 1},
      {Op::Exp, kInf, kInf},
      {Op::Exp, -kInf, 0.0},
      {Op::Exp, 709.8, kInf},
      {Op::Exp, -745.2, 0.0},
      {Op::Exp, kTiny, 1},
      {Op::Exp, kMax, kInf},
      {Op::Exp, -kMax, 0.0},
      {Op::Exp, -745.13, kTiny},
      {Op::Expm1, 0.0, 0.0},
      {Op::Expm1, -0.0, -0.0},
      {Op::Expm1, kInf, kInf},
      {Op::Expm1, -kInf, -1},
      {Op::Expm1, -40, -1},
      {Op::Expm1, kTiny, kTiny},
      {Op::Expm1, -kTiny, -kTiny},
      {Op::Expm1, 1e-300, 1e-300},
      {Op::Expm1, 709.8, kInf},
      {Op::Log, 0.0, -kInf},
      {Op::Log, -0.0, -kInf},
      {Op::Log, 1, 0.0},
      {Op::Log, kInf, kInf},
      {Op::Log, -1, kNan},
      {Op::Log, -kInf, kNan},
      {Op::Log, -kTiny, kNan},
      {Op::Log1p, 0.0, 0.0},
      {Op::Log1p, -0.0, -0.0},
      {Op::Log1p, -1, -kInf},
      {Op::Log1p, -1.5, kNan},
      {Op::Log1p, kInf, kInf},
      {Op::Log1p, -kInf, kNan},
      {Op::Log1p, kTiny, kTiny},
      {Op::Log1p, -1e-300, -1e-300},
      {Op::Log2, 0.0, -kInf},
      {Op::Log2, -0.0, -kInf},
      {Op::Log2, 1, 0.0},
      {Op::Log2, kInf, kInf},
      {Op::Log2, -2, kNan},
      {Op::Log2, 8, 3},
      {Op::Log2, kTiny, -1074},
      {Op::Log2, 0x1p1023, 1023},
      {Op::Sin, 0.0, 0.0},
      {Op::Sin, -0.0, -0.0},
      {Op::Sin, kInf, kNan},
      {Op::Sin, -kInf, kNan},
      {Op::Sin, kTiny, kTiny},
      {Op::Sin, -kTiny, -kTiny},
      {Op::Cos, 0.0, 1},
      {Op::Cos, -0.0, 1},
      {Op::Cos, kInf, kNan},
      {Op::Cos, kTiny, 1},
      {Op::Tan, 0.0, 0.0},
      {Op::Tan, -0.0, -0.0},
      {Op::Tan, kInf, kNan},
      {Op::Tan, -kTiny, -kTiny},
      {Op::Tanh, 0.0, 0.0},
      {Op::Tanh, -0.0, -0.0},
      {Op::Tanh, kInf, 1},
      {Op::Tanh, -kInf, -1},
      {Op::Tanh, 30, 1},
      {Op::Tanh, kTiny, kTiny},
      {Op::Tanh, -kMax, -1},
      {Op::Atan, 0.0, 0.0},
      {Op::Atan, -0.0, -0.0},
      {Op::Atan, kInf, 0x1.921fb54442d18p+0},
      {Op::Atan, -kInf, -0x1.921fb54442d18p+0},
      {Op::Atan, 1, 0x1.921fb54442d18p-1},
      {Op::Atan, kTiny, kTiny},
      {Op::Atan, kMax, 0x1.921fb54442d18p+0},
  };
  for (const Row& row : rows) {
    INFO(info(row.op).name << '(' << row.x << ')');
    CHECK(same(call(row.op, row.x), row.expected));
  }
}

TEST_CASE("functions of one argument keep NaN") {
  for (const Op op : {Op::Rsqrt, Op::Exp, Op::Expm1, Op::Log, Op::Log1p, Op::Log2, Op::Sin, Op::Cos,
                      Op::Tan, Op::Tanh, Op::Atan}) {
    INFO(info(op).name);
    CHECK(std::isnan(call(op, kNan)));
    CHECK(std::isnan(call(op, -kNan)));
    CHECK(std::isnan(call_float(op, std::numeric_limits<float>::quiet_NaN())));
  }
}

TEST_CASE("pow at its special points, IEEE 754-2019 9.2.1") {
  const PowRow rows[] = {
      {kNan, 0.0, 1},
      {kNan, -0.0, 1},
      {kInf, 0.0, 1},
      {0.0, 0.0, 1},
      {-3, -0.0, 1},
      {1, kNan, 1},
      {1, kInf, 1},
      {1, -kInf, 1},
      {-1, kInf, 1},
      {-1, -kInf, 1},
      {kNan, 1, kNan},
      {2, kNan, kNan},
      {-1, kNan, kNan},
      {0.0, kNan, kNan},
      {kNan, kInf, kNan},
      {0.0, -1, kInf},
      {-0.0, -1, -kInf},
      {0.0, -2, kInf},
      {-0.0, -2, kInf},
      {-0.0, -1.5, kInf},
      {0.0, -kInf, kInf},
      {-0.0, -kInf, kInf},
      {0.0, kInf, 0.0},
      {-0.0, kInf, 0.0},
      {0.0, 3, 0.0},
      {-0.0, 3, -0.0},
      {-0.0, 2, 0.0},
      {-0.0, 0.5, 0.0},
      {0.0, kTiny, 0.0},
      {2, kInf, kInf},
      {0.5, kInf, 0.0},
      {2, -kInf, 0.0},
      {0.5, -kInf, kInf},
      {-2, kInf, kInf},
      {-0.5, kInf, 0.0},
      {-0.5, -kInf, kInf},
      {std::nextafter(1.0, 0.0), kInf, 0.0},
      {kInf, 2, kInf},
      {kInf, -2, 0.0},
      {-kInf, 3, -kInf},
      {-kInf, 2, kInf},
      {-kInf, -3, -0.0},
      {-kInf, -2, 0.0},
      {-kInf, 0.5, kInf},
      {-kInf, -0.5, 0.0},
      {kInf, kInf, kInf},
      {kInf, -kInf, 0.0},
      {-kInf, kInf, kInf},
      {-8, 1.0 / 3, kNan},
      {-1, 0.5, kNan},
      {-kTiny, kTiny, kNan},
      {-2, 3, -8},
      {-2, 4, 16},
      {-1, 0x1p52 + 1, -1},
      {-1, 0x1p53 - 1, -1},
      {-1, 0x1p53, 1},
      {-1, 0x1p53 + 2, 1},
      {-1, kMax, 1},
      {2, 1023, 0x1p1023},
      {2, 1024, kInf},
      {2, -1074, kTiny},
      {2, -1076, 0.0},
      {-2, 1025, -kInf},
      {-2, -1077, -0.0},
      {10, 22, 1e22},
      {3, 2, 9},
      {kMax, 1, kMax},
      {kTiny, 1, kTiny},
      {kTiny, -1, kInf},
      {kMax, kMax, kInf},
      {kMax, -kMax, 0.0},
      {kTiny, kTiny, 1},
      {0.25, 0.5, 0.5},
  };
  for (const PowRow& row : rows) {
    INFO("pow(" << row.x << ", " << row.y << ") = " << call(Op::Pow, row.x, row.y));
    CHECK(same(call(Op::Pow, row.x, row.y), row.expected));
  }
}

TEST_CASE("float32 rounds the float64 value once") {
  // The float64 overflow and underflow thresholds of the function do not show through.
  CHECK(call_float(Op::Exp, 89.0F) == std::numeric_limits<float>::infinity());
  CHECK(call_float(Op::Exp, -104.0F) == 0.0F);
  CHECK(call_float(Op::Exp, -100.0F) > 0.0F);
  CHECK(call_float(Op::Rsqrt, 0x1p-149F) == static_cast<float>(call(Op::Rsqrt, 0x1p-149)));
  Random random(9);
  for (int i = 0; i < 10'000; ++i) {
    const float x = random.any_float(), y = random.any_float();
    REQUIRE(same(call_float(Op::Pow, x, y), static_cast<float>(call(Op::Pow, x, y))));
    REQUIRE(same(call_float(Op::Tan, x), static_cast<float>(call(Op::Tan, x))));
  }
}

TEST_CASE("rising functions rise from one number to the next, sampled") {
  struct Range {
    Op op;
    double low, high;
  };
  const Range ranges[] = {{Op::Exp, -700, 700},    {Op::Expm1, -36, 700},  {Op::Log, 1e-6, 1e6},
                          {Op::Log1p, -0.99, 1e6}, {Op::Log2, 1e-6, 1e6},  {Op::Tanh, -19, 19},
                          {Op::Atan, -100, 100},   {Op::Sin, -1.57, 1.57}, {Op::Tan, -1.57, 1.57}};
  for (const Range& range : ranges) {
    Random random(static_cast<std::uint64_t>(range.op));
    for (int i = 0; i < 20'000; ++i) {
      const double x = random.even(range.low, range.high);
      const double wider = x + std::fabs(x) * 0x1p-48;
      INFO(info(range.op).name << " at " << x);
      REQUIRE(call(range.op, x) <= call(range.op, wider));
      const float narrow = static_cast<float>(x);
      REQUIRE(call_float(range.op, narrow) <= call_float(range.op, std::nextafter(narrow, 2e38F)));
    }
  }
}

TEST_CASE("odd functions are odd and the cosine is even, to the bit") {
  Random random(10);
  for (int i = 0; i < 50'000; ++i) {
    const double x = random.any_double();
    if (std::isnan(x)) continue;
    for (const Op op : {Op::Sin, Op::Tan, Op::Tanh, Op::Atan})
      REQUIRE(same(call(op, -x), -call(op, x)));
    REQUIRE(same(call(Op::Cos, -x), call(Op::Cos, x)));
  }
}
