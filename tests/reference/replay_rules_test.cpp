#include "compiler/cli/replay_rules.h"

#include <catch2/catch.hpp>

namespace talweg::cli {

namespace {

using Json = nlohmann::ordered_json;

std::optional<std::string> filled(std::string_view rule, const char* hyper,
                                  std::string_view when = "", std::string_view ignored = "") {
  return expand({"family", when, rule, "", ignored}, Json::parse(hyper));
}

ReplayCase a_case(CaseKind kind, std::string name, std::string family, const char* hyper) {
  ReplayCase reference;
  reference.kind = kind;
  reference.name = std::move(name);
  reference.family = std::move(family);
  reference.hyper = Json::parse(hyper);
  return reference;
}

}  // namespace

TEST_CASE("places are filled with values as a rule writes them") {
  CHECK(filled("A(x = {x}, b = {b}, c = {c}, l = {l})",
               R"({"x": 1e-8, "b": true, "c": "torch", "l": [30, 80]})") ==
        "A(x = 1e-08, b = true, c = torch, l = [30, 80])");
}

TEST_CASE("a place without a value takes its default, or the row does not fit") {
  CHECK(filled("A({x?0})", "{}") == "A(0)");
  CHECK(filled("A({x?0})", R"({"x": null})") == "A(0)");
  CHECK(filled("A({up}, {down?=up})", R"({"up": 3, "down": null})") == "A(3, 3)");
  CHECK(!filled("A({x})", "{}"));
  CHECK(!filled("A({x})", R"({"x": {}})"));
}

TEST_CASE("words are translated; one that is not listed does not fit") {
  CHECK(filled("{m:hat=corrected,raw=raw}", R"({"m": "hat"})") == "corrected");
  CHECK(!filled("{m:hat=corrected,raw=raw}", R"({"m": "other"})"));
}

TEST_CASE("all elements of a list must stand in the rule") {
  CHECK(filled("{b.0} {b.1}", R"({"b": [0, 0.9]})") == "0 0.9");
  CHECK(!filled("{b.0} {b.1}", R"({"b": [0, 0.9, 0.99]})"));
  CHECK(!filled("{b.0} {b.1}", R"({"b": [0]})"));
  CHECK(filled("x[[ * d({a.#}, {s.#})]]", R"({"a": [5, 9], "s": [0.5, 0.1]})") ==
        "x * d(5, 0.5) * d(9, 0.1)");
}

TEST_CASE("a hyperparameter that the row does not know keeps it from fitting") {
  CHECK(!filled("A({x})", R"({"x": 1, "y": 2})"));
  CHECK(filled("A({x})", R"({"x": 1, "y": 2})", "", "y") == "A(1)");
  CHECK(filled("A({x})", R"({"x": 1, "y": 2})", "y=2") == "A(1)");
  CHECK(!filled("A({x})", R"({"x": 1, "y": 3})", "y=2"));
  CHECK(filled("A({x})", R"({"x": 1, "y": null})", "y=null") == "A(1)");
}

TEST_CASE("a new case of a known family needs no new row") {
  const auto rule =
      rule_of_case(a_case(CaseKind::Trajectory, "lion_of_tomorrow", "lion",
                          R"({"lr": 0.003, "beta1": 0.95, "beta2": 0.98, "wd": 0.2})"));
  REQUIRE(rule);
  CHECK(rule->rule == "Lion(lr = 0.003, beta1 = 0.95, beta2 = 0.98, weight_decay = 0.2)");
  REQUIRE(rule->states.size() == 1);
  CHECK(rule->states[0].ours == "m");
}

TEST_CASE("states are named by the case's name and ours") {
  const auto states = states_of("m v=square b=-velocity");
  REQUIRE(states.size() == 3);
  CHECK((states[0].theirs == "m" && states[0].ours == "m" && !states[0].negated));
  CHECK((states[1].theirs == "v" && states[1].ours == "square" && !states[1].negated));
  CHECK((states[2].theirs == "b" && states[2].ours == "velocity" && states[2].negated));
}

TEST_CASE("problems are known by their name or their hyperparameters") {
  const auto by_name =
      rule_of_case(a_case(CaseKind::Problem, "rosenbrock_lion", "",
                          R"({"lr": 1, "beta1": 0.9, "beta2": 0.99, "wd": 0, "steps": 5})"));
  REQUIRE(by_name);
  CHECK(by_name->rule.starts_with("Lion("));
  const auto by_hypers = rule_of_case(
      a_case(CaseKind::Problem, "linreg_gd", "", R"({"lr": 0.1, "wd": 0, "steps": 5})"));
  REQUIRE(by_hypers);
  CHECK(by_hypers->rule == "SGD(lr = 0.1, weight_decay = 0)");
  const auto nesterov = rule_of_case(a_case(
      CaseKind::Problem, "some_nesterov", "",
      R"({"lr": 0.1, "momentum": 0.9, "dampening": 0, "nesterov": true, "wd": 0, "l2": 0.1, "batch": 3})"));
  REQUIRE(nesterov);
  CHECK(nesterov->rule.starts_with("Nesterov("));
}

TEST_CASE("an unknown family is named") {
  const auto unknown =
      rule_of_case(a_case(CaseKind::Trajectory, "x", "no_such_family", R"({"lr": 1})"));
  REQUIRE(!unknown);
  CHECK(unknown.failure().kind == support::FailureKind::Usage);
  CHECK(unknown.failure().message ==
        "no rule is known for family `no_such_family`; give one by --rule");
  const auto other =
      rule_of_case(a_case(CaseKind::Trajectory, "x", "lion", R"({"lr": 1, "new": 2})"));
  REQUIRE(!other);
  CHECK(other.failure().message.find("`lion`") != std::string::npos);
}

}  // namespace talweg::cli
