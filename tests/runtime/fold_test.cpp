// The order in which values are folded: against its definition, written once more, recursively.
#include "runtime/optimizer/fold.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double start_of(talweg_fold fold) {
  return fold == TALWEG_FOLD_SUM ? 0 : fold == TALWEG_FOLD_MIN ? kInf : -kInf;
}

double join(talweg_fold fold, double a, double b) {
  if (fold == TALWEG_FOLD_SUM) return a + b;
  if (std::isnan(a) || std::isnan(b)) return kNan;
  const bool a_is_below = a < b || (a == b && std::signbit(a) && !std::signbit(b));
  return a_is_below == (fold == TALWEG_FOLD_MIN) ? a : b;
}

/// The definition: lanes from the start, by halves, blocks recursively. Leaves nothing out.
double reference(talweg_fold fold, const std::vector<double>& values) {
  std::vector<double> results;
  for (std::size_t begin = 0; begin == 0 || begin < values.size(); begin += 1024) {
    std::array<double, 64> lanes{};
    lanes.fill(start_of(fold));
    for (std::size_t i = begin; i < values.size() && i < begin + 1024; ++i)
      lanes[i % 64] = join(fold, lanes[i % 64], values[i]);
    for (std::size_t half = 32; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) lanes[i] = join(fold, lanes[i], lanes[i + half]);
    results.push_back(lanes[0]);
  }
  return results.size() == 1 ? results[0] : reference(fold, results);
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

double streamed(talweg_fold fold, const std::vector<double>& values) {
  talweg_folding folding;
  std::memset(&folding, 0xA5, sizeof folding);
  talweg_begin_fold(&folding, fold);
  for (const double value : values) talweg_fold_value(&folding, value);
  return talweg_end_fold(&folding);
}

/// Numbers whose sum depends on the order, at all sizes.
std::vector<double> numbers(std::size_t count) {
  std::vector<double> values(count);
  std::uint64_t bits = 88172645463325252U;
  for (double& value : values) {
    bits ^= bits << 13U;
    bits ^= bits >> 7U;
    bits ^= bits << 17U;
    value = std::ldexp(static_cast<double>(bits >> 11U) - 4503599627370496.0,
                       static_cast<int>(bits % 61U) - 80);
  }
  return values;
}

constexpr std::array kFolds = {TALWEG_FOLD_SUM, TALWEG_FOLD_MIN, TALWEG_FOLD_MAX};

}  // namespace

TEST_CASE("a sequence is folded in the order of its definition") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{31}, std::size_t{33},
        std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{1023}, std::size_t{1024},
        std::size_t{1025}, std::size_t{2048}, std::size_t{16384}, std::size_t{1048576 + 17}})
    for (const talweg_fold fold : kFolds) {
      const std::vector<double> values = numbers(size);
      INFO(size << " values, fold " << fold);
      const double expected = reference(fold, values);
      CHECK(same(talweg_fold_sequence(fold, values.data(), static_cast<std::uint32_t>(size)),
                 expected));
      CHECK(same(streamed(fold, values), expected));
    }
}

TEST_CASE("columns are folded as if each were a sequence of its own") {
  constexpr std::size_t kGap = 5;  // between the rows
  for (const std::size_t rows :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{63}, std::size_t{64},
        std::size_t{65}, std::size_t{1024}, std::size_t{1025}, std::size_t{4096},
        std::size_t{65537}, std::size_t{1048576 + 1025}})
    for (const std::size_t columns : {1U, 3U, 16U, 17U, 40U}) {
      if (rows * columns > 4000000) continue;
      const std::size_t stride = columns + kGap;
      const std::vector<double> table = numbers(rows * stride);
      for (const talweg_fold fold : kFolds) {
        std::vector<double> results(columns, kNan);
        talweg_fold_columns(fold, table.data(), rows, stride, columns, results.data());
        std::size_t wrong = 0;
        for (std::size_t c = 0; c < columns; ++c) {
          std::vector<double> column;
          for (std::size_t r = 0; r < rows; ++r) column.push_back(table[r * stride + c]);
          wrong += same(results[c], reference(fold, column)) ? 0 : 1;
        }
        INFO(rows << " rows, " << columns << " columns, fold " << fold);
        CHECK(wrong == 0);
      }
    }
}

TEST_CASE("columns of odd values") {
  const std::vector<double> odd{kNan, -0.0, 0.0, kInf, -kInf};
  for (const std::size_t rows : {1U, 65U, 1030U})
    for (const talweg_fold fold : kFolds)
      for (const double last : odd) {
        std::vector<double> table(rows * odd.size());
        for (std::size_t i = 0; i < table.size(); ++i) table[i] = odd[i % odd.size()];
        table.back() = last;
        std::vector<double> results(odd.size());
        talweg_fold_columns(fold, table.data(), rows, odd.size(), odd.size(), results.data());
        for (std::size_t c = 0; c < odd.size(); ++c) {
          std::vector<double> column(rows, odd[c]);
          if (c + 1 == odd.size()) column.back() = last;
          CHECK(same(results[c], reference(fold, column)));
        }
      }
}

TEST_CASE("the order is not that of a plain loop") {
  const std::vector<double> values = numbers(5000);
  double plain = 0;
  for (const double value : values) plain += value;
  CHECK(plain != reference(TALWEG_FOLD_SUM, values));
}

TEST_CASE("values that are no numbers, zeros of both signs and infinities") {
  const std::vector<double> odd{kNan, -kNan, -0.0, 0.0, kInf, -kInf, 5e-324};
  for (const std::size_t size : {1U, 2U, 64U, 65U, 1024U, 1025U, 70000U})
    for (const talweg_fold fold : kFolds)
      for (const double first : odd)
        for (const double second : odd) {
          // The rest is what a fold over zeros has to tell from them.
          std::vector<double> values(size, 0.0);
          values[size / 2] = first;
          values[size - 1] = second;
          const double expected = reference(fold, values);
          CHECK(same(talweg_fold_sequence(fold, values.data(), static_cast<std::uint32_t>(size)),
                     expected));
          CHECK(same(streamed(fold, values), expected));
        }
}

TEST_CASE("no value at all is the start, and nothing but negative zeros a zero") {
  CHECK(same(talweg_fold_sequence(TALWEG_FOLD_SUM, nullptr, 0), 0.0));
  CHECK(same(talweg_fold_sequence(TALWEG_FOLD_MIN, nullptr, 0), kInf));
  CHECK(same(talweg_fold_sequence(TALWEG_FOLD_MAX, nullptr, 0), -kInf));
  const std::vector<double> zeros(2000, -0.0);
  CHECK(same(talweg_fold_sequence(TALWEG_FOLD_SUM, zeros.data(), 2000), 0.0));
  CHECK(same(talweg_fold_sequence(TALWEG_FOLD_MIN, zeros.data(), 2000), -0.0));
  CHECK(same(talweg_fold_sequence(TALWEG_FOLD_MAX, zeros.data(), 2000), -0.0));
}

TEST_CASE("a gap is as many starts") {
  const std::vector<std::uint64_t> gaps{0,    1,    5,        63,          64,  1023,
                                        1024, 1025, 3 * 1024, 1048576 + 3, 2000};
  for (const talweg_fold fold : kFolds)
    for (const std::uint64_t gap : gaps)
      for (const std::uint64_t next : gaps) {
        const std::vector<double> between = numbers(700);
        std::vector<double> values;
        talweg_folding folding;
        talweg_begin_fold(&folding, fold);
        for (const std::uint64_t count : {gap, next}) {
          values.insert(values.end(), count, start_of(fold));
          talweg_fold_gap(&folding, count);
          values.insert(values.end(), between.begin(), between.end());
          for (const double value : between) talweg_fold_value(&folding, value);
        }
        talweg_fold_gap(&folding, gap);
        values.insert(values.end(), gap, start_of(fold));
        INFO("gaps " << gap << " and " << next << ", fold " << fold);
        CHECK(same(talweg_end_fold(&folding), reference(fold, values)));
      }
}

TEST_CASE("runs of values, single ones and gaps mix") {
  const std::vector<double> all = numbers(3000);
  for (const talweg_fold fold : kFolds)
    for (const std::size_t length : {1U, 2U, 63U, 64U, 65U, 1000U, 1024U, 1025U, 2500U}) {
      std::vector<double> values(17, start_of(fold));
      talweg_folding folding;
      std::memset(&folding, 0xA5, sizeof folding);
      talweg_begin_fold(&folding, fold);
      talweg_fold_gap(&folding, 17);
      for (int turn = 0; turn < 3; ++turn) {
        talweg_fold_values(&folding, all.data() + turn, length);
        talweg_fold_values(&folding, nullptr, 0);
        talweg_fold_value(&folding, all[length]);
        values.insert(values.end(), all.begin() + turn,
                      all.begin() + turn + static_cast<std::ptrdiff_t>(length));
        values.push_back(all[length]);
      }
      INFO("runs of " << length << ", fold " << fold);
      CHECK(same(talweg_end_fold(&folding), reference(fold, values)));
    }
}

TEST_CASE("a sequence of one value") {
  for (const talweg_fold fold : kFolds)
    for (const double value : {kNan, -0.0, 0.0, kInf, -kInf, 5e-324, -1.5})
      CHECK(same(talweg_fold_one(fold, value), reference(fold, {value})));
}

TEST_CASE("the longest sequence has its levels") {
  // 2^32 - 1 values, all but the first and the last a gap.
  talweg_folding folding;
  talweg_begin_fold(&folding, TALWEG_FOLD_MAX);
  talweg_fold_value(&folding, 3);
  talweg_fold_gap(&folding, 0xFFFFFFFDU);
  talweg_fold_value(&folding, 4);
  CHECK(talweg_end_fold(&folding) == 4);
}
