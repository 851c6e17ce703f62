// Operations that are not elementary functions: zeros, NaN, ties, single rounding, both types.
#include "compiler/builtins/evaluate.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>

#include "tests/builtins/same.h"
#include "tests/builtins/samples.h"

using namespace talweg::builtins;
using namespace talweg::builtins::tests;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Row {
  Op op;
  double a, b, expected;
};

/// Operands here are float32 values too, so that both types must give `expected`.
void check(const Row& row) {
  INFO(info(row.op).name << '(' << row.a << ", " << row.b << ')');
  CHECK(same(call(row.op, row.a, row.b), row.expected));
  const float in_float = call_float(row.op, static_cast<float>(row.a), static_cast<float>(row.b));
  CHECK(same(static_cast<double>(in_float), static_cast<double>(static_cast<float>(row.expected))));
}

}  // namespace

TEST_CASE("min and max propagate NaN and order -0 below +0") {
  const Row rows[] = {
      {Op::Min, 1, 2, 1},          {Op::Min, 2, 1, 1},          {Op::Min, -0.0, 0.0, -0.0},
      {Op::Min, 0.0, -0.0, -0.0},  {Op::Min, -0.0, -0.0, -0.0}, {Op::Min, 0.0, 0.0, 0.0},
      {Op::Min, kNan, 1, kNan},    {Op::Min, 1, kNan, kNan},    {Op::Min, -kInf, kNan, kNan},
      {Op::Min, -kInf, 3, -kInf},  {Op::Min, kInf, 3, 3},       {Op::Min, -3, -3, -3},
      {Op::Max, 1, 2, 2},          {Op::Max, 2, 1, 2},          {Op::Max, -0.0, 0.0, 0.0},
      {Op::Max, 0.0, -0.0, 0.0},   {Op::Max, -0.0, -0.0, -0.0}, {Op::Max, kNan, kInf, kNan},
      {Op::Max, kInf, kNan, kNan}, {Op::Max, kInf, 3, kInf},    {Op::Max, -kInf, 3, 3},
  };
  for (const Row& row : rows) check(row);
}

TEST_CASE("sign keeps zeros and NaN") {
  const Row rows[] = {
      {Op::Sign, 0x1p-149, 0, 1}, {Op::Sign, -7, 0, -1},    {Op::Sign, 0.0, 0, 0.0},
      {Op::Sign, -0.0, 0, -0.0},  {Op::Sign, kInf, 0, 1},   {Op::Sign, -kInf, 0, -1},
      {Op::Sign, kNan, 0, kNan},  {Op::Abs, -0.0, 0, 0.0},  {Op::Abs, -kInf, 0, kInf},
      {Op::Neg, 0.0, 0, -0.0},    {Op::Neg, kInf, 0, -kInf}};
  for (const Row& row : rows) check(row);
}

TEST_CASE("rounding to integers keeps signs of zero and takes ties to even") {
  const Row rows[] = {
      {Op::Round, 0.5, 0, 0.0},         {Op::Round, 1.5, 0, 2},     {Op::Round, 2.5, 0, 2},
      {Op::Round, -0.5, 0, -0.0},       {Op::Round, -2.5, 0, -2},   {Op::Round, -0.0, 0, -0.0},
      {Op::Round, 8388609, 0, 8388609}, {Op::Round, kInf, 0, kInf}, {Op::Round, kNan, 0, kNan},
      {Op::Floor, -0.5, 0, -1},         {Op::Floor, 1.75, 0, 1},    {Op::Floor, -0.0, 0, -0.0},
      {Op::Ceil, -0.5, 0, -0.0},        {Op::Ceil, 1.25, 0, 2},     {Op::Ceil, 0x1p-149, 0, 1},
      {Op::Trunc, -1.75, 0, -1},        {Op::Trunc, 1.75, 0, 1},    {Op::Trunc, -0.25, 0, -0.0},
  };
  for (const Row& row : rows) check(row);
}

TEST_CASE("comparisons with NaN are false but for the unequal one") {
  for (const double other : {0.0, 1.0, kInf, kNan}) {
    for (const Op op : {Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq}) {
      check({op, kNan, other, 0});
      check({op, other, kNan, 0});
    }
    check({Op::Ne, kNan, other, 1});
  }
  check({Op::Eq, -0.0, 0.0, 1});
  check({Op::Lt, -0.0, 0.0, 0});
  check({Op::Le, -0.0, 0.0, 1});
  check({Op::Gt, 2, 1, 1});
  check({Op::Ge, 1, 2, 0});
  check({Op::Ne, 1, 1, 0});
}

TEST_CASE("logic and choice") {
  check({Op::And, 1, 0, 0});
  check({Op::And, 1, 1, 1});
  check({Op::Or, 0, 1, 1});
  check({Op::Or, 0, 0, 0});
  check({Op::Not, 0, 0, 1});
  check({Op::Not, 1, 0, 0});
  CHECK(call(Op::Select, 1, 3, kNan) == 3);
  CHECK(std::isnan(call(Op::Select, 0, 3, kNan)));
  check({Op::IsFinite, kInf, 0, 0});
  check({Op::IsFinite, kNan, 0, 0});
  check({Op::IsFinite, 0x1p-149, 0, 1});
  CHECK(call(Op::IsFinite, std::numeric_limits<double>::max()) == 1);
}

TEST_CASE("fma rounds once, in the type of its operands") {
  // g g = 1 + 2^-22 + 2^-46 exactly; rounded to float32 first, the sum would be 0.
  const float g = 0x1.000002p+0F;
  CHECK(call_float(Op::Fma, g, g, -0x1.000004p+0F) == 0x1p-46F);
  CHECK(call_float(Op::Sub, call_float(Op::Mul, g, g), 0x1.000004p+0F) == 0);
  const double h = 0x1.0000000000001p+0;
  CHECK(call(Op::Fma, h, h, -0x1.0000000000002p+0) == 0x1p-104);
}

TEST_CASE("float32 arithmetic is not float64 arithmetic rounded twice") {
  // The exact sum is 2^-54 below the tie of 1 + 2^-23 and 1 + 2^-22; float64 rounds it to that tie.
  const float a = 0x1.0002p-12F, b = 0x1.fffcp-13F, c = 0x1.000002p+0F;
  CHECK(call_float(Op::Fma, a, b, c) == 0x1.000002p+0F);
  CHECK(static_cast<float>(call(Op::Fma, a, b, c)) == 0x1.000004p+0F);
  CHECK(call_float(Op::Add, 16777216.0F, 1.0F) == 16777216.0F);
}

TEST_CASE("subnormal results are kept") {
  CHECK(call_float(Op::Mul, 0x1p-100F, 0x1p-30F) == 0x1p-130F);
  CHECK(call(Op::Div, 0x1p-1022, 4) == 0x1p-1024);
  CHECK(call_float(Op::Sqrt, 0x1p-148F) == 0x1p-74F);
}

TEST_CASE("mod has the sign of the divisor") {
  const Row rows[] = {
      {Op::Mod, 7, 5, 2},           {Op::Mod, -7, 5, 3},        {Op::Mod, 7, -5, -3},
      {Op::Mod, -7, -5, -2},        {Op::Mod, 10, 5, 0.0},      {Op::Mod, -10, 5, 0.0},
      {Op::Mod, 10, -5, -0.0},      {Op::Mod, -0.0, 5, 0.0},    {Op::Mod, 0.0, -5, -0.0},
      {Op::Mod, 5.5, 2, 1.5},       {Op::Mod, 3, kInf, 3},      {Op::Mod, -3, kInf, kInf},
      {Op::Mod, 3, -kInf, -kInf},   {Op::Mod, 0.0, kInf, 0.0},  {Op::Mod, 1, 0, kNan},
      {Op::Mod, 0, 0, kNan},        {Op::Mod, kInf, 3, kNan},   {Op::Mod, kInf, kInf, kNan},
      {Op::Mod, kNan, 3, kNan},     {Op::Mod, 3, kNan, kNan},   {Op::Mod, 0x1p100, 3, 0.0},
      {Op::Mod, 0x1p100, -3, -0.0}, {Op::Mod, -0x1p-100, 3, 3}, {Op::Mod, 0x1p-149, 1, 0x1p-149},
  };
  for (const Row& row : rows) check(row);
}

TEST_CASE("mod of integers is that of integers") {
  Random random(3);
  for (int i = 0; i < 100'000; ++i) {
    const auto a = static_cast<std::int64_t>(random.bits() >> 12) - (std::int64_t{1} << 51);
    const auto magnitude = static_cast<std::int64_t>(random.spread(1, 1e15));
    const std::int64_t b = random.bits() & 1 ? magnitude : -magnitude;
    const std::int64_t remainder = a % b;
    const std::int64_t expected =
        remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
    REQUIRE(call(Op::Mod, static_cast<double>(a), static_cast<double>(b)) ==
            static_cast<double>(expected));
  }
}

TEST_CASE("mod is exact for operands of one sign") {
  Random random(4);
  for (int i = 0; i < 100'000; ++i) {
    const double a = random.spread(1e-3, 1e12), b = random.spread(1e-3, 1e3);
    REQUIRE(call(Op::Mod, a, b) == std::fmod(a, b));
    REQUIRE(call(Op::Mod, -a, -b) == -std::fmod(a, b));
  }
}
