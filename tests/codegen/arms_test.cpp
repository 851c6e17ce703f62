// Rules that choose a pipeline for each tensor do to it what that pipeline alone would do, and keep
// for it what that pipeline keeps.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <numeric>

#include "compiler/driver/compile.h"
#include "runtime/optimizer/pattern.h"
#include "tests/ir/compile_text.h"
#include "tests/optimizers.h"

namespace talweg::tests {

namespace {

using optimizer::Optimizer;
using optimizer::Tensor;

constexpr const char* kArms = R"(
rule Clip { hyper limit = 1 in (0, inf); step { grad = clip(grad, -limit, limit) } }
rule Curved { input hessian; step { update = grad / max(hessian, 0.01) } }
rule Arms {
  when rank == 2 and not tagged("embedding"): Signum(lr = 0.02)
  when named("*.bias"):                       SGD(lr = 0.1, momentum = 0.9)
  when size > 30:                             Curved
  otherwise:                                  AdamW
}
rule NoOther { when rank == 2: AdamW }
)";

struct Parameter {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<std::string> tags;
  std::vector<float> values;
};

std::vector<Parameter> parameters() {
  std::vector<Parameter> all = {{"w", {3, 5}, {}, {}},   {"emb", {4, 5}, {"embedding"}, {}},
                                {"w.bias", {5}, {}, {}}, {"table", {6, 6}, {"embedding"}, {}},
                                {"scale", {}, {}, {}},   {"none", {0, 4}, {"embedding"}, {}}};
  for (Parameter& p : all) {
    p.values.resize(std::accumulate(p.shape.begin(), p.shape.end(), std::size_t{1},
                                    [](std::size_t a, std::uint64_t b) { return a * b; }));
    for (std::size_t i = 0; i < p.values.size(); ++i)
      p.values[i] = static_cast<float>(i + 1) * 0.25F - static_cast<float>(p.name.size());
  }
  return all;
}

float gradient(std::size_t element, int step) {
  return static_cast<float>(static_cast<int>(element * 7 + static_cast<std::size_t>(step) * 5) %
                            11) -
         5.0F;
}

struct Run {
  std::vector<Parameter> parameters;
  std::shared_ptr<driver::Program> program;
  std::optional<Optimizer> optimizer;
  support::Status status = support::ok();

  Run(std::vector<Parameter> all, const std::string& rule, const std::string& backend)
      : parameters(std::move(all)) {
    driver::CompileOptions options;
    options.use_cache = false;
    if (backend == "interpreter") options.backend = driver::Backend::Interpreter;
    auto compiled = driver::compile(graph_of_rule(rule, kArms), options);
    REQUIRE(compiled.ok());
    program = *compiled;
    std::vector<Tensor> tensors;
    for (Parameter& p : parameters)
      tensors.push_back({p.name, p.shape, p.values.data(), 0, p.tags});
    optimizer.emplace(make_optimizer(program->image(), tensors, 1, 0, program));
  }

  /// `hessian`: for which tensors it is given.
  support::Status steps(int count, const std::vector<bool>& hessian) {
    for (int step = 1; step <= count; ++step) {
      std::vector<std::vector<float>> gradients;
      std::vector<const void*> pointers, hessians;
      for (const Parameter& p : parameters) {
        auto& values = gradients.emplace_back(std::max<std::size_t>(p.values.size(), 1));
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = gradient(i, step);
        pointers.push_back(values.data());
      }
      optimizer::StepInputs inputs;
      for (std::size_t i = 0; i < parameters.size(); ++i)
        hessians.push_back(hessian[i] ? gradients[i].data() : nullptr);
      if (std::find(hessian.begin(), hessian.end(), true) != hessian.end())
        inputs.element.emplace_back("hessian", hessians);
      if (auto done = optimizer->step(pointers, inputs); !done) return done.failure();
    }
    return support::ok();
  }
};

const std::vector<std::string> kAlone = {
    "Signum(lr = 0.02)", "AdamW", "SGD(lr = 0.1, momentum = 0.9)", "m.Curved", "AdamW", "AdamW"};

}  // namespace

TEST_CASE("a tensor is stepped by its arm as by that rule alone") {
  for (const std::string backend : {"cpu", "interpreter"}) {
    Run arms(parameters(), "m.Clip | m.Arms", backend);
    REQUIRE(arms.steps(6, {false, false, false, true, false, false}).ok());
    const std::vector<Parameter> starts = parameters();
    for (std::size_t i = 0; i < starts.size(); ++i) {
      Run alone({starts[i]}, "m.Clip | " + kAlone[i], backend);
      REQUIRE(alone.steps(6, {i == 3}).ok());
      INFO(backend << " " << starts[i].name);
      CHECK(alone.parameters[0].values == arms.parameters[i].values);
      CHECK((starts[i].values.empty() || starts[i].values != arms.parameters[i].values));
    }
  }
}

TEST_CASE("a tensor that no arm takes stays as it is") {
  Run run(parameters(), "m.Clip | m.NoOther", "cpu");
  REQUIRE(run.steps(3, std::vector<bool>(6)).ok());
  const std::vector<Parameter> starts = parameters();
  for (std::size_t i = 0; i < starts.size(); ++i)
    CHECK((run.parameters[i].values == starts[i].values) ==
          (starts[i].shape.size() != 2 || starts[i].values.empty()));
}

TEST_CASE("states are kept only where their arm is taken") {
  for (const std::string backend : {"cpu", "interpreter"}) {
    Run run(parameters(), "m.Arms", backend);
    CHECK(run.optimizer->state("signum.m", 0).ok());
    const auto absent = run.optimizer->state("adamw.m", 0);
    REQUIRE(!absent.ok());
    CHECK(absent.failure().message ==
          "tensor `w` does not keep state `adamw.m`: it takes another arm of a `when`");
    std::vector<std::string> element_states;
    for (const auto& entry : run.optimizer->persistent())
      if (entry.name.find('/') != std::string::npos &&
          entry.shape != std::vector<std::uint64_t>{0, 4})
        element_states.push_back(entry.name);
    std::sort(element_states.begin(), element_states.end());
    CHECK(element_states == std::vector<std::string>{"adamw.m/emb", "adamw.m/scale", "signum.m/w",
                                                     "v/emb", "v/scale", "velocity/w.bias"});
    CHECK(run.optimizer->state_bytes() < 6 * 4096);
  }
}

TEST_CASE("an input is needed only by tensors whose arm declares it") {
  Run run(parameters(), "m.Arms", "cpu");
  const auto refused = run.steps(1, {true, true, true, false, true, true});
  REQUIRE(!refused.ok());
  CHECK(refused.failure().message.find("`hessian`") != std::string::npos);
  CHECK(refused.failure().message.find("table") != std::string::npos);
}

TEST_CASE("names match patterns") {
  const auto matches = [](const char* pattern, const char* name) {
    return talweg_matches(pattern, name) == 1;
  };
  CHECK(matches("*", ""));
  CHECK(matches("", ""));
  CHECK(matches("*.bias", "layers.0.bias"));
  CHECK(matches("l?yers.*.b*s", "layers.0.bias"));
  CHECK(matches("*a*b*", "xxaxxbxx"));
  CHECK(matches("**", "a"));
  CHECK(!matches("*.bias", "layers.0.bias2"));
  CHECK(!matches("?", ""));
  CHECK(!matches("", "a"));
  CHECK(!matches("*ab", "aab_b"));
}

}  // namespace talweg::tests
