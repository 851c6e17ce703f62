#include "compiler/cli/replay_compare.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace talweg::cli {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double error_of(std::vector<double> ours, std::vector<double> truth) {
  Comparison comparison("params");
  comparison.compare(1, 0, ours, truth);
  return comparison.worst().error;
}

}  // namespace

TEST_CASE("a difference is relative to the largest magnitude of its tensor") {
  CHECK(error_of({1.5, 4}, {1, 4}) == 0.125);
  CHECK(error_of({-4.5}, {-4}) == 0.125);
}

TEST_CASE("magnitudes last from earlier steps, and each tensor has its own") {
  Comparison comparison("params");
  comparison.magnitude(1, std::array{100.0});
  comparison.compare(1, 0, std::array{8.0}, std::array{8.0});
  comparison.compare(2, 0, std::array{1.0}, std::array{0.0});
  comparison.compare(2, 1, std::array{51.0, 2.0}, std::array{1.0, 2.0});
  CHECK(comparison.worst().error == 0.5);
  CHECK(comparison.worst().tensor == 1);
  CHECK(comparison.worst().element == 0);
  CHECK(comparison.worst().step == 2);
  CHECK(comparison.compared() == 4);
}

TEST_CASE("values that are not finite agree only with themselves") {
  CHECK(error_of({kNaN}, {kNaN}) == 0);
  CHECK(error_of({kInfinity}, {kInfinity}) == 0);
  CHECK(error_of({kNaN}, {1}) == kInfinity);
  CHECK(error_of({1}, {kNaN}) == kInfinity);
  CHECK(error_of({kInfinity}, {-kInfinity}) == kInfinity);
  CHECK(error_of({kInfinity}, {1}) == kInfinity);
}

TEST_CASE("zeros agree whatever their sign; anything else against zeros is infinitely far") {
  CHECK(error_of({-0.0}, {0.0}) == 0);
  CHECK(error_of({1e-300}, {0.0}) == kInfinity);
}

TEST_CASE("a tensor of another size is infinitely far") {
  CHECK(error_of({1, 2}, {1}) == kInfinity);
  CHECK(error_of({}, {1}) == kInfinity);
}

}  // namespace talweg::cli
