// Ranges of hyperparameters, and numbers as text.
#include "compiler/types/interval.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

using namespace talweg::types;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("closed ends belong to the interval, open ones do not") {
  const Interval half{0, 1, true, false};
  CHECK((half.contains(0) && half.contains(0.5) && half.contains(std::nextafter(1.0, 0.0))));
  CHECK_FALSE((half.contains(1) || half.contains(-1e-300)));
  CHECK(half.contains(-0.0));
  const Interval positive{0, kInf, false, false};
  CHECK((positive.contains(5e-324) && positive.contains(1e308)));
  CHECK_FALSE((positive.contains(0) || positive.contains(kInf)));
  CHECK(Interval{0, kInf, true, true}.contains(kInf));
}

TEST_CASE("nan is in no interval") {
  CHECK_FALSE(Interval{}.contains(NAN));
  CHECK_FALSE(Interval{-kInf, kInf, true, true}.contains(NAN));
}

TEST_CASE("intervals are written as in a rule") {
  CHECK(to_text(Interval{0, 1, true, false}) == "[0, 1)");
  CHECK(to_text(Interval{0, kInf, false, false}) == "(0, inf)");
  CHECK(to_text(Interval{-0.5, 1e-8, true, true}) == "[-0.5, 1e-08]");
  CHECK(to_text(Interval{}) == "(-inf, inf)");
}

TEST_CASE("numbers are written shortest and read back the same") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(5) == "5");
  CHECK(number_text(-kInf) == "-inf");
  CHECK(number_text(NAN) == "nan");
  for (const double value :
       {1.0 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 123456789.123, 0.1 + 0.2})
    CHECK(std::strtod(number_text(value).c_str(), nullptr) == value);
}
