// Phases: what runs in which order, where a skipped call stops, and what a step that is refused
// between two phases has left behind (nothing).
#include <catch2/catch.hpp>

#include "tests/runtime/phased_rule.h"

namespace talweg::tests {
namespace {

using Rule = PhasedRule;

std::array<int, 3> calls(const std::array<std::atomic<int>, 3>& counts) {
  return {counts[0], counts[1], counts[2]};
}

}  // namespace

TEST_CASE("phases run in order, each seeing what the one before left") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  const FakeModel<double> before = model;
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {}));
  REQUIRE(optimizer.step(model.gradients()));
  const double norm = *optimizer.hyper("norm");
  CHECK(norm > 0);
  std::size_t wrong = 0;
  for (std::size_t t = 0; t < 2; ++t)
    for (std::size_t i = 0; i < model.params[t].size(); ++i) {
      const double grad = before.grads[t][i];
      const double param = before.params[t][i];
      wrong += state_at<double>(optimizer, "m", t, i) != param + 2 * grad ||
               model.params[t][i] != param - (0.5 / (1 + norm) * grad + 0.5 / 1024);
    }
  CHECK(wrong == 0);
  CHECK(rule.model_calls == std::array{1, 1, 1});
  CHECK(rule.group_calls == std::array{1, 1, 0});
  CHECK(calls(rule.tensor_calls) == std::array{1, 1, 1});
  CHECK(calls(rule.pass_calls) == std::array{1, 1, 1});
}

TEST_CASE("a skipped call that keeps nothing stops where that is known") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {}));
  rule.outcome = TALWEG_SKIPPED;
  for (int call = 0; call < 2; ++call) {  // before states begin, and after
    const std::string before = snapshot(optimizer, model);
    const auto passes = calls(rule.pass_calls);
    const auto outcome = optimizer.step(model.gradients());
    REQUIRE(outcome);
    CHECK(*outcome == optimizer::StepOutcome::Skipped);
    CHECK(calls(rule.pass_calls) == std::array{passes[0] + 1, passes[1], passes[2]});
    CHECK(rule.model_calls[2] == call);
    CHECK(rule.tensor_calls[1] == call);
    // All but the count of calls, which comes second, after `t`.
    std::string after = snapshot(optimizer, model);
    CHECK(after.substr(0, 8) == before.substr(0, 8));
    CHECK(after.substr(8, 8) != before.substr(8, 8));
    CHECK(after.substr(16) == before.substr(16));
    rule.outcome = TALWEG_COMPLETED;
    REQUIRE(optimizer.step(model.gradients()));
    rule.outcome = TALWEG_SKIPPED;
  }
}

TEST_CASE("a skipped call keeps what it says, and no more") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  const auto params = model.params;
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {}));
  rule.outcome = TALWEG_SKIPPED;
  rule.keeps[Rule::kScale] = true;
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(*optimizer.tensor_scalar("scale", 0) == 0.25 + 1);
  CHECK(*optimizer.tensor_scalar("steady", 0) == 2);
  CHECK(*optimizer.scalar("total") == 0);
  // No pass stores what is kept, and none leaves what a later phase reads of chunks.
  CHECK(calls(rule.pass_calls) == std::array{1, 0, 0});
  CHECK(calls(rule.tensor_calls) == std::array{1, 1, 1});
  // The first pass has seen a beginning that does not last.
  CHECK(state_at<double>(optimizer, "m", 1, 19999) == 0);
  for (const auto& entry : optimizer.persistent())
    if (entry.name.rfind("@begun/", 0) == 0)
      CHECK(*static_cast<const double*>(entry.data) ==
            (entry.name.rfind("@begun/scale/", 0) == 0 ? 1 : 0));

  rule.keeps = {};
  rule.keeps[Rule::kTotal] = true;
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(*optimizer.scalar("total") == rule.seen_by_model[Rule::kHeats]);
  CHECK(*optimizer.tensor_scalar("scale", 0) == 1.25);
  CHECK(model.params == params);

  rule.keeps = {};
  rule.keeps[Rule::kM] = true;
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(calls(rule.pass_calls) == std::array{3, 1, 1});
  CHECK(state_at<double>(optimizer, "m", 0, 1) == params[0][1] + 2 * model.grads[0][1]);
  CHECK(optimizer.steps_completed() == 0);
  CHECK(optimizer.calls() == 3);

  // What phase 2 reduces may be left by the pass of phase 1, so that one runs as well.
  rule.reductions[Rule::kPeak].phase = 2;
  rule.keeps = {};
  rule.keeps[Rule::kTotal] = true;
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(calls(rule.pass_calls) == std::array{4, 2, 1});
}

TEST_CASE("a step that a later phase refuses leaves every persistent bit") {
  const std::uint32_t threads = GENERATE(0U, 1U, 4U);
  Rule rule;
  rule.hypers[Rule::kNorm].high = 50;
  rule.hypers[Rule::kNorm].high_closed = 1;
  FakeModel<double> model({3, 70000});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {0, 1}), 2, threads);
  auto small = model.gradients();
  small[1] = nullptr;
  for (int round = 0; round < 3; ++round) {
    const std::string before = snapshot(optimizer, model);
    const int passes = rule.pass_calls[0];
    const auto refused = optimizer.step(model.gradients());
    CHECK(failure(refused).find("hyper `norm` of rule `Phased` must be in [0, 50], not 187.0") ==
          0);
    CHECK(failure(refused).find("the rule computed it in step " + std::to_string(round + 1)) !=
          std::string::npos);
    CHECK(rule.pass_calls[0] > passes);  // refused after a pass has run
    CHECK(rule.model_calls[2] == round);
    CHECK(snapshot(optimizer, model) == before);
    REQUIRE(optimizer.step(small));
    CHECK(optimizer.calls() == static_cast<std::uint64_t>(round + 1));
  }
}

TEST_CASE("after a skipped call too, a refused one leaves every bit") {
  Rule rule;
  rule.hypers[Rule::kNorm].high = 1e9;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {}));
  rule.outcome = TALWEG_SKIPPED;
  rule.keeps[Rule::kTotal] = true;
  REQUIRE(optimizer.step(model.gradients()));
  rule.hypers[Rule::kNorm].high = 1;
  const std::string before = snapshot(optimizer, model);
  CHECK_FALSE(optimizer.step(model.gradients()));
  CHECK(snapshot(optimizer, model) == before);
}

TEST_CASE("a hyper is checked after the phase that binds it") {
  Rule rule;
  rule.hypers[Rule::kNorm].bound_phase = 0;  // where nobody has computed it yet
  FakeModel<double> model({3});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {}));
  CHECK(failure(optimizer.step(model.gradients())).find("must be a number, not nan") !=
        std::string::npos);
  CHECK(rule.pass_calls[0] == 0);
}

TEST_CASE("inputs of groups and tensors") {
  Rule rule;
  rule.needs_inputs = true;
  FakeModel<double> model({3, 3, 3});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {0, 1, 1}, {0}), 2);
  const std::string before = snapshot(optimizer, model);
  const auto gradients = model.gradients();
  optimizer::StepInputs inputs;
  CHECK(failure(optimizer.step(gradients)) ==
        "step 1 of rule `Phased` reads input `heat`, which was not given");
  CHECK(*optimizer.missing_inputs() == std::vector<std::string>{"heat", "boost"});
  CHECK(rule.tensor_calls[0] == 0);
  CHECK(rule.pass_calls[0] == 0);
  inputs.group = {{"heat", {10, 20}}};
  // Tensor 0 does not read it.
  CHECK(failure(optimizer.step(gradients, inputs)) ==
        "step 1 of rule `Phased` reads input `boost`, which was not given for tensor `w1`");
  CHECK(*optimizer.missing_inputs(inputs) == std::vector<std::string>{"boost"});
  CHECK(snapshot(optimizer, model) == before);

  CHECK(failure(optimizer.step(gradients, {{}, {}, {{"heat", {1}}}, {}})) ==
        "input `heat` has 1 values for 2 groups");
  CHECK(failure(optimizer.step(gradients, {{}, {}, {}, {{"boost", {1, 2}}}})) ==
        "input `boost` has 2 values for 3 tensors");
  CHECK(failure(optimizer.step(gradients, {{}, {}, {{"boost", {1, 2}}}, {}})) ==
        "rule `Phased` has no group input `boost`");
  CHECK(failure(optimizer.step(gradients, {{{"heat", 1}}, {}, {}, {}})) ==
        "rule `Phased` has no model input `heat`");

  auto without = gradients;
  without[1] = without[2] = nullptr;
  CHECK(optimizer.step(without, inputs));  // nobody is left who reads it
  inputs.tensor = {{"boost", {-5, 7, 3}}};
  REQUIRE(optimizer.step(gradients, inputs));
  CHECK(rule.seen_by_model[Rule::kLowest] == 3);
  CHECK(optimizer.has_read("boost"));
  // Forgotten again in the next step.
  rule.needs_inputs = false;
  REQUIRE(optimizer.step(gradients));
  CHECK(rule.seen_by_model[Rule::kLowest] == 0);
  CHECK_FALSE(optimizer.has_read("boost"));
}

TEST_CASE("a rule without such inputs takes none") {
  FakeRule<float> rule;
  FakeModel<float> model({3});
  auto optimizer = make_optimizer(rule, model);
  CHECK(failure(optimizer.step(model.gradients(), {{}, {}, {{"heat", {1}}}, {}}))
            .find("has no group input `heat`") != std::string::npos);
  rule.image.input_count = 0;
  auto bare = make_optimizer(rule, model);
  CHECK(failure(bare.step(model.gradients(), {{}, {}, {}, {{"heat", {1}}}}))
            .find("has no tensor input `heat`") != std::string::npos);
}

TEST_CASE("whoever asks what is missing before a step is told of all tensors") {
  Rule rule;
  FakeModel<double> model({3, 4});
  auto optimizer = make_optimizer(rule.image, phased_tensors(model, {}));
  REQUIRE(optimizer.missing_inputs());
  CHECK(rule.seen_by_model[Rule::kElements] == 7);
  auto gradients = model.gradients();
  gradients[0] = nullptr;
  REQUIRE(optimizer.step(gradients));
  CHECK(rule.seen_by_model[Rule::kElements] == 4);
}

TEST_CASE("scratch is memory for every tensor that nobody keeps") {
  Rule rule;
  FakeModel<double> model({1000, 0, 16384});
  auto tensors = phased_tensors(model, {});
  auto with = make_optimizer(rule.image, tensors);
  for (const auto& entry : with.persistent())
    CHECK((entry.name.find("w") == std::string::npos || entry.name.rfind("m/", 0) == 0 ||
           entry.name.rfind("s", 0) == 0 || entry.name.rfind("@begun/", 0) == 0));
  CHECK(with.state_bytes() >= 2 * 17384 * sizeof(double));
  REQUIRE(with.step(model.gradients()));
  REQUIRE(with.reset());
  CHECK(state_at<double>(with, "m", 2, 16383) == 0);
}

TEST_CASE("a tensor that a rule cannot step is refused by name") {
  Rule rule;
  FakeModel<double> model({6, 60});
  auto tensors = phased_tensors(model, {});
  tensors[0].shape = {2, 3};
  tensors[1].name = "conv.weight";
  tensors[1].shape = {3, 4, 5};
  auto made = optimizer::Optimizer::create(rule.image, nullptr, tensors, 1, nullptr);
  REQUIRE_FALSE(made);
  CHECK(made.failure().message ==
        "tensor `conv.weight` of shape [3, 4, 5] does not fit: rule `Phased` requires rank <= 2 of "
        "every tensor, "
        "with or without a gradient; a `when` can give this one another rule");
  CHECK(made.failure().kind == support::FailureKind::Usage);
  tensors[1].shape = {12, 5};
  CHECK(optimizer::Optimizer::create(rule.image, nullptr, tensors, 1, nullptr));
}

}  // namespace talweg::tests
