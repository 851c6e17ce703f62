// A step that waits for another gradient: where the parameters stand meanwhile, that it goes on as
// if it had never returned, and how it ends otherwise.
#include <catch2/catch.hpp>

#include "tests/runtime/lined_model.h"
#include "tests/runtime/lined_rule.h"
#include "tests/runtime/moving_rule.h"
#include "tests/runtime/phased_rule.h"

namespace talweg::tests {
namespace {

using optimizer::StepOutcome;
using Rule = MovingRule;

std::array<int, 4> calls(const std::array<std::atomic<int>, 4>& counts) {
  return {counts[0], counts[1], counts[2], counts[3]};
}

/// Elements of all tensors that are not as expected(tensor, element) says.
template <class Expected>
std::size_t wrong(const std::vector<std::vector<double>>& values, Expected expected) {
  std::size_t count = 0;
  for (std::size_t t = 0; t < values.size(); ++t)
    for (std::size_t i = 0; i < values[t].size(); ++i) count += values[t][i] != expected(t, i);
  return count;
}

}  // namespace

TEST_CASE("a step returns where the parameters have moved, and goes on with new gradients") {
  const std::uint32_t threads = GENERATE(0U, 1U, 4U);
  Rule rule;
  FakeModel<double> model({3, 0, 70000});
  auto optimizer = make_moving(rule, model, {0, 1, 1}, threads);
  REQUIRE(optimizer.set_hyper("lr", 0.5, 1));
  const OtherGradients other(model, -0.5);
  auto m = model.params;
  for (int step = 1; step <= 3; ++step) {
    const auto origin = model.params;
    REQUIRE(*optimizer.step(model.gradients(), {{{"loss", step}}, {}}) == StepOutcome::Regrad);
    CHECK(optimizer.is_waiting());
    CHECK(wrong(model.params, [&](auto t, auto i) { return origin[t][i] + model.grads[t][i]; }) ==
          0);
    CHECK(optimizer.steps_completed() == static_cast<std::uint64_t>(step - 1));
    CHECK(optimizer.calls() == static_cast<std::uint64_t>(step - 1));
    if (step == 1)
      CHECK(failure(optimizer.hyper("norm")).find("has no value before a step") !=
            std::string::npos);
    // Inputs are those of the first call; what else is given is not looked at.
    REQUIRE(*optimizer.step(other.pointers(), {{{"loss", 99}, {"unknown", 1}}, {}}) ==
            StepOutcome::Completed);
    CHECK_FALSE(optimizer.is_waiting());
    CHECK(optimizer.steps_completed() == static_cast<std::uint64_t>(step));
    CHECK(optimizer.calls() == static_cast<std::uint64_t>(step));
    CHECK(*optimizer.scalar("total") == step * (step + 1) / 2);
    const double norm = *optimizer.hyper("norm");
    CHECK(norm == Approx(0.5 * std::sqrt(35000.0)).epsilon(0.01));  // of the second gradients
    CHECK(wrong(model.params, [&](auto t, auto i) {
            const double grad = model.grads[t][i];
            return origin[t][i] - (t == 0 ? 0.25 : 0.5) / (1 + norm) * (grad + -0.5 * grad);
          }) == 0);
    for (std::size_t t = 0; t < m.size(); ++t)
      for (std::size_t i = 0; i < m[t].size(); ++i)
        m[t][i] += model.grads[t][i] + -0.5 * model.grads[t][i];
    CHECK(wrong(m, [&](auto t, auto i) { return state_at<double>(optimizer, "m", t, i); }) == 0);
    CHECK(rule.model_calls == std::array{step, step, step, step});
  }
  CHECK(rule.wrong_phases == 0);
  REQUIRE(rule.numbers.size() == 12);
  for (std::size_t i = 0; i < 12; ++i)
    CHECK(rule.numbers[i] == std::array{1.0 + double(i / 4), 1.0 + double(i / 4)});
}

TEST_CASE("whether a step asks is its own affair: not at all, twice, or later only") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_moving(rule, model);
  const OtherGradients second(model, 3);
  const OtherGradients third(model, -1);
  const auto ended = [&](const auto& origin, double last) {
    const double norm = *optimizer.hyper("norm");
    return wrong(model.params, [&](auto t, auto i) {
      const double grad = model.grads[t][i];
      return origin[t][i] - 0.25 / (1 + norm) * (grad + last * grad);
    });
  };
  rule.asks = {false, false};
  auto origin = model.params;
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Completed);
  CHECK(ended(origin, 1) == 0);

  rule.asks = {true, true};
  origin = model.params;
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
  REQUIRE(*optimizer.step(second.pointers()) == StepOutcome::Regrad);
  CHECK(optimizer.is_waiting());
  CHECK(wrong(model.params, [&](auto t, auto i) {
          const double grad = model.grads[t][i];
          return origin[t][i] + grad + 2 * (3 * grad);
        }) == 0);
  REQUIRE(*optimizer.step(third.pointers()) == StepOutcome::Completed);
  CHECK(ended(origin, -1) == 0);
  CHECK(*optimizer.hyper("norm") == Approx(3 * std::sqrt(10001.5)).epsilon(0.01));

  rule.asks = {false, true};
  origin = model.params;
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
  CHECK(wrong(model.params, [&](auto t, auto i) { return origin[t][i] + 2 * model.grads[t][i]; }) ==
        0);
  REQUIRE(*optimizer.step(second.pointers()) == StepOutcome::Completed);
  CHECK(ended(origin, 3) == 0);
  CHECK(optimizer.calls() == 3);
  CHECK(optimizer.steps_completed() == 3);
  CHECK(rule.wrong_phases == 0);
}

TEST_CASE("a tensor without a gradient stands still all the while") {
  Rule rule;
  FakeModel<double> model({3, 20000, 5});
  auto optimizer = make_moving(rule, model);
  const auto before = model.params;
  auto gradients = model.gradients();
  gradients[1] = nullptr;
  REQUIRE(*optimizer.step(gradients) == StepOutcome::Regrad);
  CHECK(model.params[1] == before[1]);
  CHECK(model.params[2] != before[2]);
  const bool abandons = GENERATE(false, true);
  if (abandons)
    optimizer.abandon();
  else
    REQUIRE(*optimizer.step(gradients) == StepOutcome::Completed);
  CHECK(model.params[1] == before[1]);
  CHECK((model.params[2] == before[2]) == abandons);
  CHECK(state_at<double>(optimizer, "m", 1, 7) == 0);
}

TEST_CASE("a call that is skipped behind its first gradient has moved nothing") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_moving(rule, model);
  rule.image.step.end_phase = GENERATE(0U, 2U);  // known before it asks, or behind
  rule.outcome = TALWEG_SKIPPED;
  for (int round = 0; round < 2; ++round) {  // before states begin, and after
    const std::string before = snapshot(optimizer, model);
    const auto passes = calls(rule.pass_calls);
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
    CHECK(snapshot(optimizer, model) != before);
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Skipped);
    std::string after = snapshot(optimizer, model);
    // All but the count of calls, which comes second, after `t`.
    CHECK(after.substr(0, 8) == before.substr(0, 8));
    CHECK(after.substr(8, 8) != before.substr(8, 8));
    CHECK(after.substr(16) == before.substr(16));
    CHECK(calls(rule.pass_calls) == std::array{passes[0] + 1, passes[1] + 1, 0, passes[3] + 1});
    rule.outcome = TALWEG_COMPLETED;
    REQUIRE(optimizer.step(model.gradients()));
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Completed);
    rule.outcome = TALWEG_SKIPPED;
  }
}

TEST_CASE("what a call keeps that is skipped behind its first gradient") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_moving(rule, model);
  const auto params = model.params;
  rule.image.step.end_phase = GENERATE(0U, 2U);  // known before it asks, or behind
  rule.asks = GENERATE(std::array{true, false}, std::array{false, true});
  rule.outcome = TALWEG_SKIPPED;
  rule.keeps[Rule::kTotal] = true;
  REQUIRE(optimizer.step(model.gradients(), {{{"loss", 7}}, {}}));
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Skipped);
  CHECK(*optimizer.scalar("total") == 7);
  CHECK(state_at<double>(optimizer, "m", 1, 5) == 0);
  CHECK(model.params == params);
  rule.keeps[Rule::kM] = true;
  REQUIRE(optimizer.step(model.gradients(), {{{"loss", 7}}, {}}));
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Skipped);
  CHECK(*optimizer.scalar("total") == 14);
  const double grad = model.grads[1][5];
  CHECK(state_at<double>(optimizer, "m", 1, 5) == params[1][5] + (grad + grad));
  CHECK(model.params == params);
  CHECK(optimizer.calls() == 2);
  CHECK(optimizer.steps_completed() == 0);
}

TEST_CASE("a call that is skipped and asks for nothing stops once that is known") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_moving(rule, model);
  rule.image.step.end_phase = 0;
  rule.outcome = TALWEG_SKIPPED;
  rule.asks = {false, false};
  const auto params = model.params;
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Skipped);
  CHECK(model.params == params);
  CHECK(rule.model_calls == std::array{1, 1, 0, 0});
  CHECK(calls(rule.pass_calls) == std::array{1, 0, 0, 0});
}

TEST_CASE("a held call keeps what it assigned behind its first gradient") {
  Rule rule;
  FakeModel<double> model({3});
  auto optimizer = make_moving(rule, model);
  rule.outcome = TALWEG_HELD;
  REQUIRE(optimizer.step(model.gradients(), {{{"loss", 7}}, {}}));
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Held);
  CHECK(*optimizer.scalar("total") == 7);
  CHECK(optimizer.calls() == 1);
  CHECK(optimizer.steps_completed() == 0);
}

TEST_CASE("a step that fails behind its first gradient leaves every bit, parameters too") {
  const std::uint32_t threads = GENERATE(0U, 1U, 4U);
  const bool asks_twice = GENERATE(false, true);
  Rule rule;
  rule.hypers[Rule::kNorm].high = 300;
  rule.hypers[Rule::kNorm].high_closed = 1;
  FakeModel<double> model({3, 70000});
  auto optimizer = make_moving(rule, model, {0, 1}, threads);
  const OtherGradients large(model, 2);
  for (int round = 0; round < 2; ++round) {  // before states begin, and after
    const std::string before = snapshot(optimizer, model);
    rule.asks = {true, asks_twice};
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
    if (asks_twice) REQUIRE(*optimizer.step(large.pointers()) == StepOutcome::Regrad);
    const auto refused = optimizer.step(large.pointers());
    CHECK(failure(refused).find("hyper `norm` of rule `Moving` must be in [0, 300], not 374") == 0);
    CHECK(refused.failure().kind == support::FailureKind::Numeric);
    CHECK_FALSE(optimizer.is_waiting());
    CHECK(snapshot(optimizer, model) == before);
    CHECK(optimizer.calls() == static_cast<std::uint64_t>(round));
    rule.asks = {true, false};
    REQUIRE(optimizer.step(model.gradients()));
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Completed);
  }
}

TEST_CASE("a step that is abandoned has not been") {
  const std::uint32_t threads = GENERATE(0U, 4U);
  const bool asks_twice = GENERATE(false, true);
  Rule rule, twin_rule;
  FakeModel<double> model({3, 0, 70000}), twin_model({3, 0, 70000});
  auto optimizer = make_moving(rule, model, {}, threads);
  auto twin = make_moving(twin_rule, twin_model);
  const OtherGradients other(model, 3);
  optimizer.abandon();  // none waits
  for (int round = 0; round < 2; ++round) {
    const std::string before = snapshot(optimizer, model);
    rule.asks = {true, asks_twice};
    REQUIRE(*optimizer.step(other.pointers(), {{{"loss", 50}}, {}}) == StepOutcome::Regrad);
    if (asks_twice) REQUIRE(*optimizer.step(other.pointers()) == StepOutcome::Regrad);
    CHECK(snapshot(optimizer, model) != before);
    optimizer.abandon();
    CHECK_FALSE(optimizer.is_waiting());
    CHECK(snapshot(optimizer, model) == before);
    optimizer.abandon();
    CHECK(snapshot(optimizer, model) == before);
    rule.asks = twin_rule.asks = {true, false};
    for (auto* each : {&optimizer, &twin}) {
      REQUIRE(*each->step(model.gradients(), {{{"loss", 2}}, {}}) == StepOutcome::Regrad);
      REQUIRE(*each->step(other.pointers()) == StepOutcome::Completed);
    }
    CHECK(snapshot(optimizer, model) == snapshot(twin, twin_model));
  }
}

TEST_CASE("an optimizer that is destroyed abandons its step") {
  Rule rule;
  FakeModel<double> model({3, 20000});
  const auto params = model.params;
  {
    auto optimizer = make_moving(rule, model);
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
    auto moved = std::move(optimizer);
    CHECK(moved.is_waiting());
    CHECK(model.params != params);
  }
  CHECK(model.params == params);
}

TEST_CASE("gradients that a waiting step cannot take leave it waiting") {
  Rule rule;
  FakeModel<double> model({3, 4, 20000});
  const auto origin = model.params;
  auto optimizer = make_moving(rule, model);
  auto gradients = model.gradients();
  gradients[1] = nullptr;
  REQUIRE(*optimizer.step(gradients) == StepOutcome::Regrad);
  const auto moved = model.params;
  const auto refused = [&](const std::vector<const void*>& given, const char* words) {
    const auto stepped = optimizer.step(given);
    CHECK(failure(stepped).find(words) != std::string::npos);
    CHECK(stepped.failure().kind == support::FailureKind::Usage);
    CHECK(optimizer.is_waiting());
    CHECK(model.params == moved);
    CHECK(rule.model_calls == std::array{1, 0, 0, 0});
  };
  refused({}, "0 gradients were given for 3 tensors");
  auto wrong_ones = gradients;
  wrong_ones[2] = nullptr;
  refused(wrong_ones,
          "step 1 of rule `Moving` was given no further gradient of tensor `w2`: it "
          "goes on with the tensors that it began with");
  refused(model.gradients(), "step 1 of rule `Moving` began without a gradient of tensor `w1`");
  wrong_ones = gradients;
  wrong_ones[2] = model.params[2].data() + 1;
  refused(wrong_ones, "the gradient of tensor `w2` shares memory with its parameter");
  wrong_ones[2] = reinterpret_cast<const char*>(gradients[2]) + 1;
  refused(wrong_ones, "the gradient of tensor `w2` is not aligned");
  const OtherGradients other(model, 2);
  auto right = other.pointers();
  right[1] = nullptr;
  REQUIRE(*optimizer.step(right) == StepOutcome::Completed);
  const double norm = *optimizer.hyper("norm");
  CHECK(wrong(model.params, [&](auto t, auto i) {
          const double grad = model.grads[t][i];
          return t == 1 ? origin[t][i] : origin[t][i] - 0.25 / (1 + norm) * (grad + 2 * grad);
        }) == 0);
}

TEST_CASE("all else is refused while a step waits") {
  Rule rule;
  FakeModel<double> model({3, 20000}), twin_model({3, 20000});
  auto optimizer = make_moving(rule, model);
  auto twin = make_moving(rule, twin_model);
  for (auto* each : {&optimizer, &twin})
    for (int call = 0; call < 2; ++call) REQUIRE(each->step(model.gradients()));
  const double norm = *optimizer.hyper("norm");
  const OtherGradients other(model, 2);
  for (auto* each : {&optimizer, &twin})
    REQUIRE(*each->step(other.pointers()) == StepOutcome::Regrad);
  const std::string before = snapshot(optimizer, model);
  const auto refused = [&](const auto& status, const std::string& what) {
    CHECK(failure(status) ==
          "step 2 of rule `Moving` waits for another gradient: give it that, or "
          "abandon it, before " +
              what);
    CHECK(status.failure().kind == support::FailureKind::Usage);
  };
  std::vector<double> memory(20000);
  refused(optimizer.reset(), "a reset");
  refused(optimizer.set_hyper("lr", 3), "a hyper is set");
  refused(optimizer.read_view("halved", 1, memory.data()), "a view is computed");
  refused(optimizer.swap_in("halved"), "a view is computed");
  refused(optimizer.scalar("total"), "a state is read");
  refused(optimizer.tensor_scalar("steady", 0), "a state is read");
  CHECK(optimizer.missing_inputs()->empty());
  CHECK(*optimizer.hyper("norm") == norm);
  CHECK(*optimizer.hyper("lr") == 0.25);
  CHECK(snapshot(optimizer, model) == before);
  for (auto* each : {&optimizer, &twin})
    REQUIRE(*each->step(model.gradients()) == StepOutcome::Completed);
  CHECK(snapshot(optimizer, model) == snapshot(twin, twin_model));
  CHECK(*optimizer.tensor_scalar("steady", 0) == 2);
  REQUIRE(optimizer.set_hyper("lr", 3));
  REQUIRE(optimizer.swap_in("halved"));
  CHECK(failure(optimizer.step(model.gradients())).find("is swapped in") != std::string::npos);
  REQUIRE(optimizer.swap_out());
  REQUIRE(optimizer.reset());
}

TEST_CASE("a rule that asks for another gradient where it stands keeps no origin") {
  Rule rule;
  rule.phases[0].pass = rule.phases[1].pass = nullptr;
  rule.image.step.origin_stream = UINT32_MAX;
  FakeModel<double> model({3, 20000});
  auto optimizer = make_moving(rule, model);
  const std::string before = snapshot(optimizer, model);
  REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
  CHECK(snapshot(optimizer, model) == before);
  optimizer.abandon();
  CHECK(snapshot(optimizer, model) == before);
}

TEST_CASE("an image that asks where it cannot is refused") {
  FakeModel<double> model({3});
  const auto message = [&](auto spoil) {
    Rule rule;
    spoil(rule);
    return refusal_of(rule.image, model.tensors());
  };
  const std::string image = "the image of rule `Moving` ";
  CHECK(message([](Rule&) {}) == "no failure");
  const std::string cannot = image + "asks for a new gradient where it cannot";
  CHECK(message([](Rule& rule) { rule.phases[3].says_regrad = 1; }) == cannot);
  CHECK(message([](Rule& rule) { rule.phases[1].model_scalars = nullptr; }) == cannot);
  const std::string nowhere = image + "does not keep where a step began in scratch";
  for (const std::uint32_t stream : {0U, 1U, 2U, 5U})
    CHECK(message([&](Rule& rule) { rule.image.step.origin_stream = stream; }) == nowhere);
  CHECK(message([](Rule& rule) { rule.image.step.origin_stream = 4; }) == "no failure");
}

namespace {

std::array<talweg_scalar_function, 3> functions_before;

/// As the rule's own function of the phase, then asks.
template <std::size_t kPhase>
void then_ask(void* self, const talweg_scalar_args* args) {
  if (functions_before[kPhase] != nullptr) functions_before[kPhase](self, args);
  *args->regrad = 1;
}

void ask_in_both(talweg_phase (&phases)[3]) {
  functions_before = {phases[0].model_scalars, phases[1].model_scalars, nullptr};
  phases[0].model_scalars = then_ask<0>;
  phases[1].model_scalars = then_ask<1>;
  phases[0].says_regrad = phases[1].says_regrad = 1;
}

/// Steps that wait between all phases are those that do not, given the same gradients.
template <class Rule, class Model, class Make>
void check_waiting_changes_nothing(Rule& rule, Model& model, Rule& twin_rule, Model& twin_model,
                                   Make make) {
  ask_in_both(rule.phases);
  auto optimizer = make(rule, model);
  auto twin = make(twin_rule, twin_model);
  for (int step = 0; step < 3; ++step) {
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Completed);
    REQUIRE(*twin.step(twin_model.gradients()) == StepOutcome::Completed);
    CHECK(snapshot(optimizer, model) == snapshot(twin, twin_model));
    const std::string before = snapshot(optimizer, model);
    REQUIRE(*optimizer.step(model.gradients()) == StepOutcome::Regrad);
    optimizer.abandon();
    CHECK(snapshot(optimizer, model) == before);
  }
}

}  // namespace

TEST_CASE("reductions and states of every rate outlive the wait") {
  PhasedRule rule, twin_rule;
  FakeModel<double> model({3, 20000, 5}), twin_model({3, 20000, 5});
  check_waiting_changes_nothing(rule, model, twin_rule, twin_model, [](auto& of, auto& with) {
    return make_optimizer(of.image, phased_tensors(with, {0, 1, 0}, {2}), 2, 4);
  });
}

TEST_CASE("so do values and states of matrices, rows and columns") {
  LinedRule<double> rule, twin_rule;
  LinedModel<double> model, twin_model;
  check_waiting_changes_nothing(rule, model, twin_rule, twin_model,
                                [](auto& of, auto& with) { return make_lined(of, with, 4); });
}

}  // namespace talweg::tests
