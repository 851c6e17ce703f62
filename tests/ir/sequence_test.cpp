// The order in which values fold: against the same order written as a recursion, and how close it
// comes to the exact sum.
#include "compiler/ir/sequence.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "tests/ir/random_graph.h"

namespace talweg::ir {

namespace {

using builtins::Fold;
using Values = std::vector<double>;

double lesser(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return NAN;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

double join(Fold fold, double a, double b) {
  if (fold == Fold::Min) return lesser(a, b);
  if (fold == Fold::Max) return -lesser(-a, -b);
  return a + b;
}

/// The lanes [first, first + width) of a block, each of which `lane` gives.
double halves(Fold fold, std::size_t width, std::size_t first,
              const std::function<double(std::size_t)>& lane, std::size_t stride) {
  if (width == 1) return lane(first);
  return join(fold, halves(fold, width / 2, first, lane, stride * 2),
              halves(fold, width / 2, first + stride, lane, stride * 2));
}

/// What sequence.h says, a value at a time, from the top down.
double expected_fold(Fold fold, const Values& a, const Values& b) {
  Values blocks;
  for (std::size_t start = 0; start < a.size() || blocks.empty(); start += 1024) {
    const std::size_t end = std::min(a.size(), start + 1024);
    const auto lane = [&](std::size_t number) {
      double value = fold == Fold::Min ? INFINITY : fold == Fold::Max ? -INFINITY : 0;
      for (std::size_t i = start + number; i < end; i += 64)
        value = fold == Fold::Dot ? std::fma(a[i], b[i], value) : join(fold, value, a[i]);
      return value;
    };
    // Lane i meets i + 32 first: pairs at the bottom are 32 apart, those at the top 1.
    blocks.push_back(halves(fold, 64, 0, lane, 1));
  }
  if (blocks.size() == 1) return blocks[0];
  return expected_fold(fold == Fold::Dot ? Fold::Sum : fold, blocks, {});
}

Values random_values(std::size_t count, std::uint64_t seed) {
  tests::Random random(seed);
  Values values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(random.number());
  return values;
}

/// Exact but for 2^-113 an addition, where nothing overflows.
__extension__ typedef __float128 Wide;

struct Sums {
  Wide exact = 0, magnitude = 0;
  double plain = 0;
};

Sums sums_of(const Values& values) {
  Sums sums;
  for (const double value : values) {
    sums.exact += static_cast<Wide>(value);
    sums.magnitude += static_cast<Wide>(std::fabs(value));
    sums.plain += value;
  }
  return sums;
}

/// The error in units of 2^-53 of the sum of magnitudes.
double error(double sum, const Sums& sums) {
  const Wide difference = static_cast<Wide>(sum) - sums.exact;
  return std::fabs(static_cast<double>(difference / sums.magnitude)) * 0x1p53;
}

}  // namespace

TEST_CASE("values fold in the order that is written down") {
  for (const Fold fold : {Fold::Sum, Fold::Dot, Fold::Min, Fold::Max, Fold::Count})
    for (const std::size_t count : {0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 1000, 1023, 1024, 1025,
                                    2048, 5000, 65536, 1024 * 1024 + 3}) {
      if (count > 10000 && fold == Fold::Count) continue;
      Values a = random_values(count, count + 1);
      // Mostly without special values, whose sums are NaN in any order.
      if (count % 2 == 1)
        for (double& value : a) value = std::isfinite(value) ? std::remainder(value, 1e6) : 1;
      if (fold == Fold::Count) a.assign(count, 1);
      const Values b = fold == Fold::Dot ? random_values(count, count + 2) : Values();
      INFO(builtins::info(fold).name << " of " << count);
      CHECK(tests::same(fold_sequence(fold, a, b), expected_fold(fold, a, b)));
    }
}

TEST_CASE("accuracy of sums") {
  constexpr std::size_t kCount = 1 << 22;
  tests::Random random(5);
  const auto uniform = [&] { return static_cast<double>(random.next() >> 11) * 0x1p-53; };
  const auto check = [&](const char* name, double bound, auto make) {
    Values values;
    for (std::size_t i = 0; i < kCount; ++i) values.push_back(make(i));
    const Sums sums = sums_of(values);
    const double ours = error(fold_sequence(Fold::Sum, values), sums);
    fmt::print("{}: {:.3f} units, one after another {:.3f}\n", name, ours, error(sums.plain, sums));
    INFO(name);
    CHECK(ours <= bound);
  };
  // The longest way of a value through three levels: 16 joins and 6 halvings a level.
  check("ones", 0, [](std::size_t) { return 1.0; });
  check("0.1", 66, [](std::size_t) { return 0.1; });
  check("uniform in [0, 1)", 66, [&](std::size_t) { return uniform(); });
  check("uniform in [-1, 1)", 66, [&](std::size_t) { return 2 * uniform() - 1; });
  check("magnitudes from 1e-30 to 1e30", 66,
        [&](std::size_t) { return (uniform() - 0.5) * std::pow(10.0, 60 * uniform() - 30); });
  double last = 0;
  check("every value and its negation next to it", 66, [&](std::size_t i) {
    last = i % 2 == 0 ? uniform() : -last;
    return last;
  });
}

}  // namespace talweg::ir
