// The library's rules that ask for a second gradient, against what their papers say, written
// plainly in float64: two tensors under a quadratic that couples them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <memory>

#include "compiler/base/diagnostic_render.h"
#include "compiler/driver/compile.h"
#include "tests/optimizers.h"

namespace talweg {

namespace {

using Point = std::vector<double>;  // all elements: the vector's 5, then the matrix's 3 x 4

constexpr std::size_t kVector = 5, kAll = 17;
constexpr double kRate = 0.1;
constexpr driver::Backend kBackends[] = {driver::Backend::Interpreter, driver::Backend::Cpu};

Point start() {
  Point p(kAll);
  for (std::size_t i = 0; i < kAll; ++i) p[i] = 0.25 * static_cast<double>((7 * i) % 11) - 1.125;
  return p;
}

Point gradient(const Point& p) {
  Point g(kAll);
  for (std::size_t i = 0; i < kAll; ++i) {
    const double curvature = 0.5 + 0.125 * static_cast<double>((5 * i) % 7);
    g[i] = curvature * p[i] + 0.25 * (p[(i + 1) % kAll] + p[(i + kAll - 1) % kAll]) -
           0.125 * static_cast<double>(i % 3);
  }
  return g;
}

double dot(const Point& a, const Point& b, std::size_t first = 0, std::size_t end = kAll) {
  double sum = 0;
  for (std::size_t i = first; i < end; ++i) sum += a[i] * b[i];
  return sum;
}

double norm(const Point& a, std::size_t first = 0, std::size_t end = kAll) {
  return std::sqrt(dot(a, a, first, end));
}

/// p + rho T^2 g / |T g|.
Point uphill(const Point& p, const Point& g, double rho, const Point& scale) {
  Point scaled(kAll), moved(kAll);
  for (std::size_t i = 0; i < kAll; ++i) scaled[i] = scale[i] * g[i];
  for (std::size_t i = 0; i < kAll; ++i)
    moved[i] = p[i] + rho * scale[i] * scaled[i] / norm(scaled);
  return moved;
}

Point ones() { return Point(kAll, 1); }

Point magnitudes(const Point& p, double plus) {
  Point scale(kAll);
  for (std::size_t i = 0; i < kAll; ++i) scale[i] = std::fabs(p[i]) + plus;
  return scale;
}

/// What the optimizer gets as gradient in step t, from 1; may keep something in `memory`.
using Form = std::function<Point(int t, const Point& p, Point& memory)>;

Point sam(const Point& p, double rho) { return gradient(uphill(p, gradient(p), rho, ones())); }

Point asam(const Point& p, double rho, double eta, std::size_t unscaled) {
  Point scale = magnitudes(p, eta);
  for (std::size_t i = 0; i < unscaled; ++i) scale[i] = 1;
  return gradient(uphill(p, gradient(p), rho, scale));
}

Point gsam(const Point& p, double rho, double alpha, const Point& scale) {
  const Point clean = gradient(p);
  const Point g = gradient(uphill(p, clean, rho, scale));
  const double cosine = dot(clean, g) / norm(clean) / norm(g);
  Point result(kAll);
  for (std::size_t i = 0; i < kAll; ++i)
    result[i] = g[i] - alpha * (clean[i] - norm(clean) * cosine * g[i] / norm(g));
  return result;
}

/// The norms of `parts`: the whole, or each tensor.
Point looksam(int t, const Point& p, Point& rest, int k, double rho, double alpha,
              const std::vector<std::pair<std::size_t, std::size_t>>& parts) {
  const Point clean = gradient(p);
  const bool is_new = (t - 1) % k == 0;
  Point g = is_new ? gradient(uphill(p, clean, rho, ones())) : clean;
  for (const auto& [first, end] : parts) {
    if (is_new) {
      const double share = dot(clean, g, first, end) / dot(clean, clean, first, end);
      for (std::size_t i = first; i < end; ++i) rest[i] = g[i] - share * clean[i];
    } else {
      const double scale = alpha * norm(clean, first, end) / norm(rest, first, end);
      for (std::size_t i = first; i < end; ++i) g[i] += scale * rest[i];
    }
  }
  return g;
}

Point friendly(int t, const Point& p, Point& average, double rho, double sigma, double beta) {
  const Point g = gradient(p);
  Point own = g;
  for (std::size_t i = 0; i < kAll; ++i) {
    if (t > 1) own[i] -= sigma * average[i];
    average[i] = t == 1 ? g[i] : beta * average[i] + (1 - beta) * g[i];
  }
  return gradient(uphill(p, own, rho, ones()));
}

struct Run {
  Point param = start(), grad = Point(kAll);
  std::shared_ptr<driver::Program> program;
  std::optional<optimizer::Optimizer> optimizer;
  int gradients = 0;  // that the last step asked for

  Run(const std::string& rule, driver::Backend backend) {
    base::Sources sources;
    base::Diagnostics diagnostics;
    sema::Modules modules(sema::SearchPath{{}, TALWEG_SOURCE_DIR "/stdlib"}, sources, diagnostics);
    const auto front_end = driver::analyze_rule(modules, sources, diagnostics, rule);
    INFO(base::render_text(diagnostics, sources, false));
    REQUIRE(front_end);
    CHECK(diagnostics.all().empty());
    driver::CompileOptions options;
    options.backend = backend;
    options.compute = types::ComputeType::F64;
    options.use_cache = false;
    auto compiled = driver::compile(front_end->graph, options);
    REQUIRE(compiled);
    program = *compiled;
    optimizer = tests::make_optimizer(
        program->image(),
        {{"x", {kVector}, param.data(), 0, {}}, {"W", {3, 4}, param.data() + kVector, 0, {}}}, 1, 1,
        program);
  }

  void step() {
    const void* const pointers[] = {grad.data(), grad.data() + kVector};
    optimizer::StepOutcome outcome = optimizer::StepOutcome::Regrad;
    for (gradients = 0; outcome == optimizer::StepOutcome::Regrad; ++gradients) {
      REQUIRE(gradients < 5);
      const Point at = gradient(param);
      std::ranges::copy(at, grad.begin());  // the pointers stay
      const auto result = optimizer->step(pointers);
      INFO((result ? std::string() : result.failure().message));
      REQUIRE(result);
      outcome = *result;
    }
    REQUIRE(outcome == optimizer::StepOutcome::Completed);
  }
};

/// The rule before gradient descent, for some steps, on every backend.
void compare(const std::string& rule, const Form& form) {
  for (const driver::Backend backend : kBackends) {
    Run run(rule + " | GradientDescent(lr = 0.1)", backend);
    Point p = start(), memory(kAll);
    for (int t = 1; t <= 12; ++t) {
      const Point g = form(t, p, memory);
      for (std::size_t i = 0; i < kAll; ++i) p[i] -= kRate * g[i];
      run.step();
      INFO(rule << ", step " << t);
      for (std::size_t i = 0; i < kAll; ++i)
        CHECK(std::fabs(run.param[i] - p[i]) <= 1e-11 * (1 + std::fabs(p[i])));
    }
  }
}

}  // namespace

TEST_CASE("SAM takes the gradient uphill") {
  compare("SAM(rho = 0.5)", [](int, const Point& p, Point&) { return sam(p, 0.5); });
  compare("SAM(rho = 0.5, adaptive = true)",
          [](int, const Point& p, Point&) { return asam(p, 0.5, 0, 0); });
  compare("SAM(rho = 0)", [](int, const Point& p, Point&) { return gradient(p); });
}

TEST_CASE("ASAM scales the neighbourhood by the weights") {
  compare("ASAM(eta = 0.1)", [](int, const Point& p, Point&) { return asam(p, 0.5, 0.1, 0); });
  compare("ASAM(rho = 1, eta = 0.1, scaled = matrices)",
          [](int, const Point& p, Point&) { return asam(p, 1, 0.1, kVector); });
}

TEST_CASE("GSAM subtracts what the clean gradient has beside the new one") {
  compare("GSAM(rho = 0.5, alpha = 0.3)",
          [](int, const Point& p, Point&) { return gsam(p, 0.5, 0.3, ones()); });
  compare("GSAM(rho = 0.5, adaptive = true)",
          [](int, const Point& p, Point&) { return gsam(p, 0.5, 0.4, magnitudes(p, 0)); });
}

TEST_CASE("LookSAM uses a second gradient for k steps") {
  compare("LookSAM(k = 3, rho = 0.5)", [](int t, const Point& p, Point& rest) {
    return looksam(t, p, rest, 3, 0.5, 0.7, {{0, kAll}});
  });
  compare("LookSAM(rho = 0.5, alpha = 0.2, over = tensor)", [](int t, const Point& p, Point& rest) {
    return looksam(t, p, rest, 5, 0.5, 0.2, {{0, kVector}, {kVector, kAll}});
  });
}

TEST_CASE("FriendlySAM leaves out what the gradients have in common") {
  compare("FriendlySAM(rho = 0.5, sigma = 0.5, beta = 0.75)",
          [](int t, const Point& p, Point& average) {
            return friendly(t, p, average, 0.5, 0.5, 0.75);
          });
}

TEST_CASE("stages behind SAM see the second gradient") {
  compare("SAM(rho = 0.5) | ClipByGlobalNorm(max_norm = 0.5)", [](int, const Point& p, Point&) {
    Point g = sam(p, 0.5);
    const double length = norm(g);
    if (length > 0.5)
      for (double& x : g) x *= 0.5 / length;
    return g;
  });
}

TEST_CASE("a step asks for as many gradients as its rule says") {
  for (const driver::Backend backend : kBackends) {
    Run sam("SAM | SGD", backend), looking("LookSAM(k = 3) | SGD", backend), none("SGD", backend);
    std::vector<int> asked;
    for (int t = 1; t <= 7; ++t) {
      sam.step();
      none.step();
      looking.step();
      CHECK(sam.gradients == 2);
      CHECK(none.gradients == 1);
      asked.push_back(looking.gradients);
    }
    CHECK(asked == std::vector<int>{2, 1, 1, 2, 1, 1, 2});
    CHECK(sam.optimizer->steps_completed() == 7);
    CHECK(sam.optimizer->calls() == 7);
  }
}

TEST_CASE("where every gradient is 0 nothing moves and nothing is NaN") {
  for (const char* rule : {"SAM", "SAM(adaptive = true)", "ASAM", "GSAM", "LookSAM(k = 1)",
                           "LookSAM(k = 2)", "LookSAM(over = tensor)", "FriendlySAM"}) {
    for (const driver::Backend backend : kBackends) {
      INFO(rule);
      Run run(std::string(rule) + " | SGD", backend);
      const Point before = run.param, zero(kAll);
      const void* const pointers[] = {zero.data(), zero.data() + kVector};
      for (int t = 1; t <= 3; ++t) {
        auto outcome = run.optimizer->step(pointers);
        REQUIRE(outcome);
        while (*outcome == optimizer::StepOutcome::Regrad) {
          CHECK(run.param == before);
          outcome = run.optimizer->step(pointers);
          REQUIRE(outcome);
        }
        CHECK(run.param == before);
      }
    }
  }
}

}  // namespace talweg
