// When a state gets its first value: at creation, or in its tensor's first completed step.
#include <catch2/catch.hpp>
#include <cstring>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {

TEST_CASE("zeros and constants hold from the start") {
  FakeRule<float> rule;
  FakeModel<float> model({3, 20000});
  auto optimizer = make_optimizer(rule, model);
  CHECK(state_at<float>(optimizer, "m", 1, 19999) == 0);
  CHECK(state_at<float>(optimizer, "one", 1, 19999) == 1);
  CHECK(*optimizer.scalar("total") == 1);
}

TEMPLATE_TEST_CASE("computed initial values are those of the first step", "", float, double) {
  using T = TestType;
  FakeRule<T> rule;
  FakeModel<T> model({20000});
  auto optimizer = make_optimizer(rule, model);
  // Both may change until then.
  REQUIRE(optimizer.set_hyper("lr", 0.1).ok());
  CHECK(*optimizer.scalar("mu") == 1);
  model.params[0][19999] = T(42);
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(state_at<T>(optimizer, "start", 0, 19999) == T(42));
  CHECK(state_at<T>(optimizer, "floor", 0, 19999) == T(0.1) + 1);
  CHECK(*optimizer.scalar("mu") == 0.5);
  // Once.
  REQUIRE(optimizer.set_hyper("lr", 0.7).ok());
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(state_at<T>(optimizer, "start", 0, 19999) == T(42));
  CHECK(state_at<T>(optimizer, "floor", 0, 19999) == T(0.1) + 1 + 1);
  CHECK(*optimizer.scalar("mu") == 0.25);
}

TEST_CASE("a copy of param keeps every bit") {
  FakeRule<float> rule;
  FakeModel<float> model({4});
  model.params[0] = {-0.0F, 1e-42F, std::numeric_limits<float>::infinity(), -1e-45F};
  const auto before = model.params[0];
  model.grads[0] = {0, 0, 0, 0};
  auto optimizer = make_optimizer(rule, model);
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(std::memcmp(*optimizer.state("start", 0), before.data(), sizeof(float) * 4) == 0);
}

TEST_CASE("each tensor begins with its own first gradient") {
  FakeRule<double> rule;
  FakeModel<double> model({2, 2});
  auto optimizer = make_optimizer(rule, model);
  auto gradients = model.gradients();
  gradients[1] = nullptr;
  REQUIRE(optimizer.step(gradients).ok());
  CHECK(state_at<double>(optimizer, "start", 1, 0) == 0);
  model.params[1][0] = 7;
  REQUIRE(optimizer.set_hyper("lr", 0.25).ok());
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(state_at<double>(optimizer, "start", 1, 0) == 7);
  CHECK(state_at<double>(optimizer, "floor", 1, 0) == 1.25);
  CHECK(state_at<double>(optimizer, "floor", 0, 0) == 2.5);
}

TEST_CASE("a refused first step begins nothing") {
  FakeRule<double> rule;
  FakeModel<double> model({2});
  auto optimizer = make_optimizer(rule, model);
  REQUIRE_FALSE(optimizer.step(model.gradients(), {{{"loss", 99}}, {}}).ok());
  CHECK(state_at<double>(optimizer, "start", 0, 1) == 0);
  REQUIRE(optimizer.set_hyper("lr", 0.125).ok());
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(state_at<double>(optimizer, "floor", 0, 1) == 1.125);
  CHECK(*optimizer.scalar("mu") == 0.625);
}

}  // namespace talweg::tests
