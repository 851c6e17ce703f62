// Inputs: given or not, needed or not.
#include <catch2/catch.hpp>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {

TEST_CASE("a model input that the step reads must be given") {
  FakeRule<float> rule;
  rule.reads_loss = true;
  FakeModel<float> model({3});
  auto optimizer = make_optimizer(rule, model);
  const std::string before = snapshot(optimizer, model);
  const auto status = optimizer.step(model.gradients());
  REQUIRE_FALSE(status.ok());
  CHECK(status.failure().message ==
        "step 1 of rule `Fake` reads input `loss`, which was not given");
  CHECK(snapshot(optimizer, model) == before);
  CHECK(optimizer.step(model.gradients(), {{{"loss", 2}}, {}}).ok());
  CHECK(*optimizer.scalar("scale") == 2);
}

TEST_CASE("an element input that the step reads must be given for each tensor with a gradient") {
  FakeRule<double> rule;
  rule.reads_hessian = true;
  FakeModel<double> model({3, 3, 0});
  auto optimizer = make_optimizer(rule, model);
  const std::vector<double> hessian{1, 2, 3};
  const auto params = model.params;
  optimizer::StepInputs inputs;
  inputs.element = {{"hessian", {hessian.data(), nullptr, nullptr}}};

  CHECK(optimizer.step(model.gradients(), inputs).failure().message ==
        "step 1 of rule `Fake` reads input `hessian`, which was not given for tensor `w1`");
  CHECK(optimizer.step(model.gradients()).failure().message ==
        "step 1 of rule `Fake` reads input `hessian`, which was not given for tensor `w0`");
  CHECK(model.params == params);

  auto gradients = model.gradients();
  gradients[1] = nullptr;
  REQUIRE(optimizer.step(gradients, inputs).ok());
  CHECK(model.params[0][2] == params[0][2] - (0.5 * model.grads[0][2] + 3));
  CHECK(model.params[1] == params[1]);
}

TEST_CASE("an input that the step does not read may be missing, and may be given") {
  FakeRule<double> rule;
  FakeModel<double> model({3});
  auto optimizer = make_optimizer(rule, model);
  CHECK(optimizer.step(model.gradients()).ok());
  const std::vector<double> hessian{1, 2, 3};
  CHECK(optimizer.step(model.gradients(), {{}, {{"hessian", {hessian.data()}}}}).ok());
}

TEST_CASE("an image that says nothing needs all its inputs") {
  FakeRule<float> rule;
  rule.phase.model_scalars = nullptr;
  rule.image.hyper_count = kScale;  // nobody computes the bound one
  FakeModel<float> model({3});
  auto optimizer = make_optimizer(rule, model);
  CHECK(*optimizer.missing_inputs() == std::vector<std::string>{"loss", "hessian"});
  CHECK_FALSE(optimizer.step(model.gradients()).ok());
}

TEST_CASE("a caller can ask what the next step needs") {
  FakeRule<float> rule;
  rule.reads_loss = rule.reads_hessian = true;
  FakeModel<float> model({3});
  auto optimizer = make_optimizer(rule, model);
  const std::string before = snapshot(optimizer, model);
  CHECK(*optimizer.missing_inputs() == std::vector<std::string>{"loss", "hessian"});
  CHECK(*optimizer.missing_inputs({{{"loss", 1}}, {}}) == std::vector<std::string>{"hessian"});
  CHECK_FALSE(optimizer.missing_inputs({{{"loss", 99}}, {}}).ok());
  CHECK(snapshot(optimizer, model) == before);
  rule.reads_loss = rule.reads_hessian = false;
  CHECK(optimizer.missing_inputs()->empty());
}

TEST_CASE("wrong shapes of inputs are refused") {
  FakeRule<float> rule;
  rule.reads_hessian = true;
  FakeModel<float> model({3, 3});
  auto optimizer = make_optimizer(rule, model);
  CHECK(optimizer.step(model.gradients(), {{}, {{"hessian", {nullptr}}}}).failure().message ==
        "input `hessian` has 1 arrays for 2 tensors");
  const auto* odd = reinterpret_cast<const char*>(model.grads[0].data()) + 2;
  CHECK(optimizer.step(model.gradients(), {{}, {{"hessian", {odd, odd}}}})
            .failure()
            .message.find("not aligned") != std::string::npos);
}

}  // namespace talweg::tests
