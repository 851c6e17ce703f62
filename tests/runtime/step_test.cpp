// What a step does: to parameters, states and counters, with groups, absent gradients and odd
// sizes.
#include <catch2/catch.hpp>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {
namespace {

/// The rule's own arithmetic, on one element.
template <class T>
struct Reference {
  T param, m = 0;
  void step(T grad, T lr, T beta) {
    m = beta * m + grad;
    param -= lr * m;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("a step follows the rule on every element", "", float, double) {
  using T = TestType;
  FakeRule<T> rule;
  // Around chunks: one less, exactly, one more, several.
  FakeModel<T> model({0, 1, 16383, 16384, 16385, 40000});
  FakeModel<T> before = model;
  auto optimizer = make_optimizer(rule, model);
  for (int step = 1; step <= 3; ++step) {
    REQUIRE(optimizer.step(model.gradients()).ok());
    CHECK(optimizer.steps_completed() == static_cast<std::uint64_t>(step));
    CHECK(optimizer.calls() == static_cast<std::uint64_t>(step));
  }
  for (std::size_t t = 0; t < model.params.size(); ++t) {
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < model.params[t].size(); ++i) {
      Reference<T> expected{before.params[t][i]};
      for (int step = 0; step < 3; ++step) expected.step(before.grads[t][i], T(0.5), T(0.5));
      wrong +=
          expected.param != model.params[t][i] || expected.m != state_at<T>(optimizer, "m", t, i);
    }
    CHECK(wrong == 0);
  }
  CHECK(model.grads == before.grads);
}

TEST_CASE("an optimizer without tensors steps") {
  FakeRule<float> rule;
  FakeModel<float> model({});
  auto optimizer = make_optimizer(rule, model);
  REQUIRE(optimizer.step({}).ok());
  CHECK(optimizer.steps_completed() == 1);
  CHECK(*optimizer.scalar("total") == 2);
}

TEST_CASE("a tensor without elements has no state and hinders nobody") {
  FakeRule<float> rule;
  FakeModel<float> model({0, 3});
  auto optimizer = make_optimizer(rule, model);
  float stand_in = 0;
  REQUIRE(optimizer.step(std::vector<const void*>{&stand_in, model.grads[1].data()}).ok());
  CHECK(*optimizer.state("m", 0) == nullptr);
  CHECK(state_at<float>(optimizer, "m", 1, 0) == model.grads[1][0]);
}

TEST_CASE("a shape of rank 0 has one element, one with a 0 none") {
  FakeRule<float> rule;
  float param = 1;
  std::vector<optimizer::Tensor> tensors(2);
  tensors[0].name = "scalar";
  tensors[0].param = &param;
  tensors[1].name = "empty";
  tensors[1].shape = {std::uint64_t{1} << 40, 0, std::uint64_t{1} << 40};
  auto optimizer = *optimizer::Optimizer::create(rule.image, nullptr, tensors, 1, nullptr);
  const float grad = 2;
  REQUIRE(optimizer.step(std::vector<const void*>{&grad, nullptr}).ok());
  CHECK(param == 0);
}

TEST_CASE("a tensor without a gradient is left out") {
  FakeRule<float> rule;
  FakeModel<float> model({10, 20000, 5});
  auto optimizer = make_optimizer(rule, model);
  REQUIRE(optimizer.step(model.gradients()).ok());
  const auto params = model.params;
  const float m = state_at<float>(optimizer, "m", 1, 19999);
  const float floor = state_at<float>(optimizer, "floor", 1, 19999);

  auto gradients = model.gradients();
  gradients[1] = nullptr;
  REQUIRE(optimizer.step(gradients).ok());
  CHECK(model.params[0] != params[0]);
  CHECK(model.params[1] == params[1]);
  CHECK(model.params[2] != params[2]);
  CHECK(state_at<float>(optimizer, "m", 1, 19999) == m);
  CHECK(state_at<float>(optimizer, "floor", 1, 19999) == floor);
}

TEST_CASE("a step in which nothing has a gradient completes") {
  FakeRule<float> rule;
  FakeModel<float> model({4});
  auto optimizer = make_optimizer(rule, model);
  const auto params = model.params;
  REQUIRE(optimizer.step(std::vector<const void*>{nullptr}).ok());
  CHECK(model.params == params);
  CHECK(optimizer.steps_completed() == 1);
  CHECK(*optimizer.scalar("total") == 2);
}

TEST_CASE("a rule that reads no gradient needs none") {
  FakeRule<float> rule;
  rule.image.uses_gradient = 0;
  FakeModel<float> model({4, 4});
  auto optimizer = make_optimizer(rule, model);
  // The rule cheats and reads what stands in for the gradient: so it can be seen to take part.
  REQUIRE(optimizer.step({}).ok());
  CHECK(state_at<float>(optimizer, "m", 0, 1) != 0);
  // Given ones still say who takes part.
  const auto params = model.params;
  REQUIRE(optimizer.step(std::vector<const void*>{model.grads[0].data(), nullptr}).ok());
  CHECK(model.params[0] != params[0]);
  CHECK(model.params[1] == params[1]);
}

TEST_CASE("each group has its own hypers and states") {
  FakeRule<double> rule;
  FakeModel<double> model({3, 3, 3});
  const auto before = model.params;
  auto optimizer = make_optimizer(rule, model, {0, 2, 0}, 4);
  REQUIRE(optimizer.set_hyper("lr", 0.25, 2).ok());
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(model.params[0][1] == before[0][1] - 0.5 * model.grads[0][1]);
  CHECK(model.params[1][1] == before[1][1] - 0.25 * model.grads[1][1]);
  CHECK(*optimizer.scalar("mu", 0) == 2.5);
  CHECK(*optimizer.scalar("mu", 2) == 1.25);
  CHECK(*optimizer.scalar("total", 2) == 2);
  CHECK_FALSE(optimizer.scalar("mu", 4).ok());
}

TEST_CASE("a hundred thousand small tensors are one step") {
  FakeRule<float> rule;
  constexpr std::size_t kTensors = 100000;
  FakeModel<float> model(std::vector<std::size_t>(kTensors, 3));
  const FakeModel<float> before = model;
  auto optimizer = make_optimizer(rule, model, {}, 1, 3);
  REQUIRE(optimizer.step(model.gradients()).ok());
  std::size_t wrong = 0;
  for (std::size_t t = 0; t < kTensors; ++t)
    for (std::size_t i = 0; i < 3; ++i)
      wrong += model.params[t][i] != before.params[t][i] - 0.5F * before.grads[t][i];
  CHECK(wrong == 0);
  CHECK(rule.model_calls == 1);
}

TEST_CASE("the passes of a step run one after the other") {
  FakeRule<float> rule;
  // The second pass sees what the first left: twice the rule is twice its effect.
  const talweg_phase phases[2] = {
      rule.phase,
      {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, rule.phase.pass, 0, 0, 0}};
  rule.image.step.phases = phases;
  rule.image.step.phase_count = 2;
  FakeModel<float> model({50000});
  const float param = model.params[0][40000];
  const float grad = model.grads[0][40000];
  auto optimizer = make_optimizer(rule, model, {}, 1, 3);
  REQUIRE(optimizer.step(model.gradients()).ok());
  Reference<float> expected{param};
  expected.step(grad, 0.5F, 0.5F);
  expected.step(grad, 0.5F, 0.5F);
  CHECK(model.params[0][40000] == expected.param);
  CHECK(state_at<float>(optimizer, "start", 0, 40000) == param);
}

TEST_CASE("a refused step writes nothing and counts as no call") {
  FakeRule<float> rule;
  FakeModel<float> model({100, 20000});
  auto optimizer = make_optimizer(rule, model);
  const std::string fresh = snapshot(optimizer, model);
  const auto refused = [&](const auto& status, const std::string& words) {
    REQUIRE_FALSE(status.ok());
    INFO(status.failure().message);
    CHECK(status.failure().message.find(words) != std::string::npos);
    return status.failure().kind;
  };
  for (int round = 0; round < 2; ++round) {
    const std::string before = snapshot(optimizer, model);
    const auto gradients = model.gradients();
    auto some = gradients;
    CHECK(refused(optimizer.step(gradients, {{{"loss", 11}}, {}}),
                  "`scale` of rule `Fake` must be in (0, 10], not 11") ==
          support::FailureKind::Numeric);
    refused(optimizer.step(gradients, {{{"loss", NAN}}, {}}), "must be a number, not nan");
    refused(optimizer.step(gradients, {{{"los", 1}}, {}}), "did you mean `loss`?");
    refused(optimizer.step(gradients, {{{"hessian", 1}}, {}}), "no model input `hessian`");
    refused(optimizer.step({}), "0 gradients were given for 2 tensors");
    some[1] = model.params[1].data();
    refused(optimizer.step(some), "the gradient of tensor `w1` shares memory with its parameter");
    some[1] = model.params[1].data() + 19999;
    refused(optimizer.step(some), "shares memory");
    some[1] = reinterpret_cast<const char*>(gradients[1]) + 1;
    refused(optimizer.step(some), "the gradient of tensor `w1` is not aligned");
    CHECK(snapshot(optimizer, model) == before);
    REQUIRE(optimizer.step(gradients).ok());
    CHECK(optimizer.calls() == static_cast<std::uint64_t>(round + 1));
  }
  CHECK(snapshot(optimizer, model) != fresh);
}

TEST_CASE("reset goes back to the start but for hypers and parameters") {
  FakeRule<float> rule;
  FakeModel<float> model({100});
  auto optimizer = make_optimizer(rule, model);
  REQUIRE(optimizer.set_hyper("lr", 0.125).ok());
  const auto params = model.params;
  REQUIRE(optimizer.step(model.gradients()).ok());
  const std::string once = snapshot(optimizer, model);
  REQUIRE(optimizer.step(model.gradients()).ok());
  REQUIRE(optimizer.reset());
  CHECK(optimizer.steps_completed() == 0);
  CHECK(*optimizer.hyper("lr") == 0.125);
  CHECK_FALSE(optimizer.scalar("scale").ok());
  model.params = params;  // copies into the same memory
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(snapshot(optimizer, model) == once);
}

TEST_CASE("the caller's floating-point mode changes nothing and is kept") {
#if defined(__x86_64__)
  FakeRule<float> rule;
  FakeModel<float> model({4}), same({4});
  for (auto* m : {&model, &same}) m->grads[0] = {1e-40F, 1e-39F, 0.1F, 0.3F};
  auto optimizer = make_optimizer(rule, model);
  auto twin = make_optimizer(rule, same);
  REQUIRE(twin.step(same.gradients()).ok());
  const unsigned mode = __builtin_ia32_stmxcsr();
  const unsigned odd_mode =
      0x1F80 | 0x8040 | 0x6000;  // flush to zero, inputs too, round towards zero
  __builtin_ia32_ldmxcsr(odd_mode);
  const bool stepped = optimizer.step(model.gradients()).ok();
  const unsigned after = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(mode);
  REQUIRE(stepped);
  CHECK((after & ~0x3FU) == odd_mode);
  CHECK(snapshot(optimizer, model) == snapshot(twin, same));
#endif
}

}  // namespace talweg::tests
