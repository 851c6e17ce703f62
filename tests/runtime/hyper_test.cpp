// Hypers: kinds, ranges before and after rounding, groups, and what the rule computes itself.
#include <catch2/catch.hpp>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {
namespace {

template <class T>
std::string refusal(double value, const char* name, std::optional<std::uint32_t> group = {}) {
  FakeRule<T> rule;
  FakeModel<T> model({1, 1});
  auto optimizer = make_optimizer(rule, model, {0, 1}, 2);
  const double before = rule.hypers[kLr].default_value;
  const auto status = optimizer.set_hyper(name, value, group);
  CHECK(*optimizer.hyper("lr") == before);
  if (status.ok()) return "";
  CHECK(status.failure().kind == support::FailureKind::Usage);
  return status.failure().message;
}

}  // namespace

TEST_CASE("hypers start at their defaults and keep what is set") {
  FakeRule<float> rule;
  FakeModel<float> model({1, 1});
  auto optimizer = make_optimizer(rule, model, {0, 1}, 2);
  CHECK(*optimizer.hyper("lr", 1) == 0.5);
  REQUIRE(optimizer.set_hyper("lr", 0.1).ok());
  REQUIRE(optimizer.set_hyper("lr", 0.2, 1).ok());
  CHECK(*optimizer.hyper("lr", 0) == 0.1);
  CHECK(*optimizer.hyper("lr", 1) == 0.2);
  REQUIRE(optimizer.set_hyper("every", 100).ok());
  CHECK(*optimizer.hyper("every", 1) == 100);
  REQUIRE(optimizer.set_hyper("nesterov", 1, 0).ok());
  CHECK(*optimizer.hyper("nesterov", 1) == 0);
  CHECK_FALSE(optimizer.hyper("lr", 2).ok());
}

TEST_CASE("values that a hyper may not have are refused by name") {
  const double kNan = std::numeric_limits<double>::quiet_NaN();
  const double kInf = std::numeric_limits<double>::infinity();
  CHECK(refusal<float>(-1, "lr") == "hyper `lr` of rule `Fake` must be in [0, inf), not -1");
  CHECK(refusal<float>(kInf, "lr") == "hyper `lr` of rule `Fake` must be in [0, inf), not inf");
  CHECK(refusal<float>(kNan, "lr") == "hyper `lr` of rule `Fake` must be a number, not nan");
  CHECK(refusal<float>(1, "beta") == "hyper `beta` of rule `Fake` must be in [0, 1), not 1");
  CHECK(refusal<float>(1.5, "every") == "hyper `every` of rule `Fake` must be an integer, not 1.5");
  CHECK(refusal<float>(1e300, "every") ==
        "hyper `every` of rule `Fake` must be an integer, not 1e+300");
  CHECK(refusal<float>(0, "every") == "hyper `every` of rule `Fake` must be in [1, 100], not 0");
  CHECK(refusal<float>(0.5, "nesterov") ==
        "hyper `nesterov` of rule `Fake` must be true or false (1 or 0), not 0.5");
  CHECK(refusal<float>(5, "scale") ==
        "hyper `scale` of rule `Fake` is computed by the rule in each step and cannot be set");
  CHECK(refusal<float>(5, "every", 1) ==
        "hyper `every` of rule `Fake` is one for the whole model and cannot be set for one group");
  CHECK(refusal<float>(5, "lr", 2) == "there is no group 2; groups are numbered below 2");
  CHECK(refusal<float>(0.1, "bta") == "rule `Fake` has no hyper `bta` (did you mean `beta`?)");
  CHECK(refusal<float>(0.1, "momentum") ==
        "rule `Fake` has no hyper `momentum` (it has `lr`, `beta`, `every`, `nesterov`, `scale`)");
}

TEST_CASE("a range holds after rounding to the compute type") {
  CHECK(refusal<float>(1 - 1e-12, "beta") ==
        "hyper `beta` of rule `Fake` must be in [0, 1); 0.999999999999 becomes 1 in float32");
  CHECK(refusal<float>(1e300, "lr") ==
        "hyper `lr` of rule `Fake` must be in [0, inf); 1e+300 becomes inf in float32");
  CHECK(refusal<double>(1 - 1e-12, "beta").empty());

  FakeRule<float> rule;
  rule.hypers[kLr].low_closed = 0;
  FakeModel<float> model({1});
  auto optimizer = make_optimizer(rule, model);
  CHECK(optimizer.set_hyper("lr", 1e-46).failure().message ==
        "hyper `lr` of rule `Fake` must be in (0, inf); 1e-46 becomes 0 in float32");
  CHECK(optimizer.set_hyper("lr", 1e-40).ok());
  rule.hypers[kLr].rounds = 0;
  CHECK(optimizer.set_hyper("lr", 1e-46).ok());
}

TEST_CASE("closed and infinite ends") {
  FakeRule<float> rule;
  rule.hypers[kLr].high_closed = 1;
  FakeModel<float> model({1});
  auto optimizer = make_optimizer(rule, model);
  CHECK(optimizer.set_hyper("lr", std::numeric_limits<double>::infinity()).ok());
  CHECK(optimizer.set_hyper("lr", 0).ok());
  CHECK(optimizer.set_hyper("lr", -0.0).ok());
}

TEST_CASE("a bound hyper has the value of the last completed step") {
  FakeRule<float> rule;
  FakeModel<float> model({1});
  auto optimizer = make_optimizer(rule, model);
  CHECK(optimizer.hyper("scale").failure().message.find("no value before a step") !=
        std::string::npos);
  REQUIRE(optimizer.step(model.gradients(), {{{"loss", 3}}, {}}).ok());
  CHECK(*optimizer.hyper("scale") == 3);
  CHECK(*optimizer.scalar("scale") == 3);
  REQUIRE_FALSE(optimizer.step(model.gradients(), {{{"loss", 30}}, {}}).ok());
  CHECK(*optimizer.scalar("scale") == 3);
}

TEST_CASE("what a rule binds is checked like what a user sets") {
  FakeRule<float> rule;
  FakeModel<float> model({1});
  auto optimizer = make_optimizer(rule, model);
  REQUIRE(optimizer.step(model.gradients()).ok());
  CHECK(optimizer.step(model.gradients(), {{{"loss", 0}}, {}}).failure().message ==
        "hyper `scale` of rule `Fake` must be in (0, 10], not 0 (the rule computed it in step 2)");
  CHECK_FALSE(optimizer.step(model.gradients(), {{{"loss", 1e-46}}, {}}).ok());
  rule.hypers[kScale].kind = TALWEG_HYPER_INT;
  CHECK(optimizer.step(model.gradients(), {{{"loss", 1.5}}, {}})
            .failure()
            .message.find("must be an integer, not 1.5") != std::string::npos);
  CHECK(optimizer.step(model.gradients(), {{{"loss", 2}}, {}}).ok());
  rule.hypers[kScale].kind = TALWEG_HYPER_BOOL;
  CHECK_FALSE(optimizer.step(model.gradients(), {{{"loss", 2}}, {}}).ok());
  CHECK(optimizer.step(model.gradients(), {{{"loss", 1}}, {}}).ok());
}

}  // namespace talweg::tests
