// The table of test functions.
#include "runtime/train/test_functions.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "runtime/train/names.h"

namespace talweg::train {
namespace {

using In = std::span<const double>;
using Out = std::span<double>;

constexpr double kPi = std::numbers::pi;

double square(double x) { return x * x; }

double sphere(In x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return sum;
}
void sphere_gradient(In x, Out out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 2 * x[i];
}

// Curvatures from 1 to 100 along the axes: what momentum is for.
double quadratic_curvature(std::size_t i, std::size_t n) {
  return std::pow(100.0, static_cast<double>(i) / static_cast<double>(n - 1));
}
double quadratic(In x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += quadratic_curvature(i, x.size()) / 2 * x[i] * x[i];
  return sum;
}
void quadratic_gradient(In x, Out out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = quadratic_curvature(i, x.size()) * x[i];
}

double rosenbrock(In x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    sum += square(1 - x[i]) + 100 * square(x[i + 1] - x[i] * x[i]);
  }
  return sum;
}
void rosenbrock_gradient(In x, Out out) {
  std::fill(out.begin(), out.end(), 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double valley = x[i + 1] - x[i] * x[i];
    out[i] += -2 * (1 - x[i]) - 400 * x[i] * valley;
    out[i + 1] += 200 * valley;
  }
}

double rastrigin(In x) {
  double sum = 10.0 * static_cast<double>(x.size());
  for (const double v : x) sum += v * v - 10 * std::cos(2 * kPi * v);
  return sum;
}
void rastrigin_gradient(In x, Out out) {
  for (std::size_t i = 0; i < x.size(); ++i)
    out[i] = 2 * x[i] + 20 * kPi * std::sin(2 * kPi * x[i]);
}

double styblinski_tang(In x) {
  double sum = 0;
  for (const double v : x) sum += square(v * v) - 16 * v * v + 5 * v;
  return sum / 2;
}
void styblinski_tang_gradient(In x, Out out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 2 * x[i] * x[i] * x[i] - 16 * x[i] + 2.5;
}

double beale(In p) {
  const double x = p[0];
  const double y = p[1];
  return square(1.5 - x + x * y) + square(2.25 - x + x * y * y) + square(2.625 - x + x * y * y * y);
}
void beale_gradient(In p, Out out) {
  const double x = p[0];
  const double y = p[1];
  const double a = 1.5 - x + x * y;
  const double b = 2.25 - x + x * y * y;
  const double c = 2.625 - x + x * y * y * y;
  out[0] = 2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y * y * y - 1);
  out[1] = 2 * a * x + 4 * b * x * y + 6 * c * x * y * y;
}

double himmelblau(In p) { return square(p[0] * p[0] + p[1] - 11) + square(p[0] + p[1] * p[1] - 7); }
void himmelblau_gradient(In p, Out out) {
  const double a = p[0] * p[0] + p[1] - 11;
  const double b = p[0] + p[1] * p[1] - 7;
  out[0] = 4 * a * p[0] + 2 * b;
  out[1] = 2 * a + 4 * b * p[1];
}

double booth(In p) { return square(p[0] + 2 * p[1] - 7) + square(2 * p[0] + p[1] - 5); }
void booth_gradient(In p, Out out) {
  const double a = p[0] + 2 * p[1] - 7;
  const double b = 2 * p[0] + p[1] - 5;
  out[0] = 2 * a + 4 * b;
  out[1] = 4 * a + 2 * b;
}

double matyas(In p) { return 0.26 * (p[0] * p[0] + p[1] * p[1]) - 0.48 * p[0] * p[1]; }
void matyas_gradient(In p, Out out) {
  out[0] = 0.52 * p[0] - 0.48 * p[1];
  out[1] = 0.52 * p[1] - 0.48 * p[0];
}

double six_hump_camel(In p) {
  const double x2 = p[0] * p[0];
  const double y2 = p[1] * p[1];
  return (4 - 2.1 * x2 + x2 * x2 / 3) * x2 + p[0] * p[1] + (-4 + 4 * y2) * y2;
}
void six_hump_camel_gradient(In p, Out out) {
  const double x2 = p[0] * p[0];
  out[0] = p[0] * (8 - 8.4 * x2 + 2 * x2 * x2) + p[1];
  out[1] = p[0] + p[1] * (-8 + 16 * p[1] * p[1]);
}

double ackley(In p) {
  const double radius = std::sqrt((p[0] * p[0] + p[1] * p[1]) / 2);
  const double waves = (std::cos(2 * kPi * p[0]) + std::cos(2 * kPi * p[1])) / 2;
  return -20 * std::exp(-0.2 * radius) - std::exp(waves) + 20 + std::numbers::e;
}
/// 0 at the tip in the origin, where there is no derivative.
void ackley_gradient(In p, Out out) {
  const double radius = std::sqrt((p[0] * p[0] + p[1] * p[1]) / 2);
  const double waves = (std::cos(2 * kPi * p[0]) + std::cos(2 * kPi * p[1])) / 2;
  for (std::size_t i = 0; i < 2; ++i) {
    const double cone = radius > 0 ? 2 * std::exp(-0.2 * radius) * p[i] / radius : 0;
    out[i] = cone + kPi * std::sin(2 * kPi * p[i]) * std::exp(waves);
  }
}

double saddle(In p) { return p[0] * p[0] - p[1] * p[1]; }
void saddle_gradient(In p, Out out) {
  out[0] = 2 * p[0];
  out[1] = -2 * p[1];
}

// A saddle with floors: flat at the origin, minima at (0, +-1).
double double_well(In p) { return p[0] * p[0] + square(p[1] * p[1] - 1) / 4; }
void double_well_gradient(In p, Out out) {
  out[0] = 2 * p[0];
  out[1] = p[1] * (p[1] * p[1] - 1);
}

}  // namespace

std::span<const TestFunction> test_functions() {
  constexpr double kStyblinskiTang = -2.9035340277711773;
  static const std::vector<TestFunction> kFunctions = {
      {"sphere", "sum x_i^2", sphere, sphere_gradient, 0, {-1.5, 2}, {{0, 0}}, 0},
      {"quadratic",
       "sum c_i/2 x_i^2, c from 1 to 100",
       quadratic,
       quadratic_gradient,
       0,
       {-1.5, 2},
       {{0, 0}},
       0},
      {"rosenbrock",
       "sum (1 - x_i)^2 + 100 (x_{i+1} - x_i^2)^2",
       rosenbrock,
       rosenbrock_gradient,
       0,
       {-1.5, 2},
       {{1, 1}},
       0},
      {"rastrigin",
       "10 n + sum x_i^2 - 10 cos(2 pi x_i)",
       rastrigin,
       rastrigin_gradient,
       0,
       {-1.5, 2.2},
       {{0, 0}},
       0},
      {"styblinski-tang",
       "sum (x_i^4 - 16 x_i^2 + 5 x_i) / 2",
       styblinski_tang,
       styblinski_tang_gradient,
       0,
       {0, 0},
       {{kStyblinskiTang, kStyblinskiTang}},
       -78.33233140754282},
      {"beale",
       "(1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2",
       beale,
       beale_gradient,
       2,
       {1, 1},
       {{3, 0.5}},
       0},
      {"himmelblau",
       "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
       himmelblau,
       himmelblau_gradient,
       2,
       {0, 0},
       {{3, 2},
        {-2.805118086952745, 3.131312518250573},
        {-3.779310253377747, -3.283185991286170},
        {3.584428340330492, -1.848126526964404}},
       0},
      {"booth", "(x + 2y - 7)^2 + (2x + y - 5)^2", booth, booth_gradient, 2, {-5, -5}, {{1, 3}}, 0},
      {"matyas", "0.26 (x^2 + y^2) - 0.48 x y", matyas, matyas_gradient, 2, {-8, 6}, {{0, 0}}, 0},
      {"six-hump-camel",
       "(4 - 2.1 x^2 + x^4/3) x^2 + x y + (4 y^2 - 4) y^2",
       six_hump_camel,
       six_hump_camel_gradient,
       2,
       {1.5, 1},
       {{0.08984201368301331, -0.7126564032704135}, {-0.08984201368301331, 0.7126564032704135}},
       -1.031628453489877},
      {"ackley",
       "-20 exp(-0.2 rms) - exp(mean cos(2 pi x_i)) + 20 + e",
       ackley,
       ackley_gradient,
       2,
       {-1.5, 2},
       {{0, 0}},
       0},
      {"saddle", "x^2 - y^2", saddle, saddle_gradient, 2, {1, 1e-3}, {}, 0},
      {"double-well",
       "x^2 + (y^2 - 1)^2 / 4",
       double_well,
       double_well_gradient,
       2,
       {1, 1e-3},
       {{0, 1}, {0, -1}},
       0},
  };
  return kFunctions;
}

support::Result<const TestFunction*> find_test_function(std::string_view name) {
  std::vector<std::string> names;
  for (const TestFunction& function : test_functions()) {
    if (function.name == name) return &function;
    names.emplace_back(function.name);
  }
  return support::Failure{support::FailureKind::Usage,
                          fmt::format("no test function `{}`{}; there are {}", name,
                                      suggestion(name, names), list_names(names, names.size()))};
}

template <class Scalar>
support::Result<CallbackObjective<Scalar>> function_objective(const TestFunction& function,
                                                              std::span<const double> start) {
  if (start.empty()) start = function.start;
  const bool is_allowed =
      function.dimensions == 0 ? start.size() >= 2 : start.size() == function.dimensions;
  std::vector<Scalar> values;
  bool is_finite = true;
  for (const double x : start) {
    values.push_back(static_cast<Scalar>(x));
    is_finite = is_finite && std::isfinite(values.back());
  }
  if (!is_allowed || !is_finite) {
    return support::Failure{support::FailureKind::Usage,
                            fmt::format("{} starts from {} finite numbers", function.name,
                                        function.dimensions == 0 ? "2 or more" : "2")};
  }
  CallbackObjective<Scalar> objective(
      [&function](const auto& parameters, const auto& gradients, auto) {
        const std::vector<double> x(parameters[0].begin(), parameters[0].end());
        std::vector<double> gradient(x.size());
        function.gradient(x, gradient);
        for (std::size_t i = 0; i < x.size(); ++i)
          gradients[0][i] = static_cast<Scalar>(gradient[i]);
        return function.value(x);
      });
  const std::uint64_t size = values.size();
  objective.add_parameter("x", {size}, std::move(values));
  return objective;
}

template support::Result<CallbackObjective<float>> function_objective<float>(
    const TestFunction&, std::span<const double>);
template support::Result<CallbackObjective<double>> function_objective<double>(
    const TestFunction&, std::span<const double>);

}  // namespace talweg::train
