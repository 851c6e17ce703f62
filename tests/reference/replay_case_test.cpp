#include "compiler/cli/replay_case.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace talweg::cli {

namespace {

using Json = nlohmann::ordered_json;

Json small_case() {
  return Json::parse(
      R"({"name": "small", "family": "sgd", "hyper": {"lr": 0.5}, "tol": {"float64": 1e-12},
    "tensors": [{"shape": [2]}, {"shape": []}], "p0": [[1, 2], [3]],
    "grads": [[[1, 1], [2]]], "params": [[[0.5, 1.5], [2]]], "state": {"m": [[1, 1], null], "d": 4}})");
}

support::Result<ReplayCase> parsed(const Json& json) { return parse_case("CASE", json.dump()); }

/// What is said about a case with one entry replaced.
std::string refusal(const char* pointer, const char* value) {
  Json json = small_case();
  json[Json::json_pointer(pointer)] = Json::parse(value);
  const auto result = parsed(json);
  REQUIRE(!result);
  CHECK(result.failure().kind == support::FailureKind::Io);
  CHECK(result.failure().message.starts_with("CASE: not a reference case: "));
  return result.failure().message;
}

}  // namespace

TEST_CASE("a trajectory is read with its shapes and states") {
  const auto result = parsed(small_case());
  REQUIRE(result);
  CHECK(result->kind == CaseKind::Trajectory);
  CHECK(result->tensors[0].elements == 2);
  CHECK(result->tensors[1].elements == 1);
  CHECK(result->trajectory.params[0][0][1] == 1.5);
  CHECK(!result->tolerance32);
  REQUIRE(result->trajectory.states.size() == 2);
  CHECK(!result->trajectory.states[0].tensors[1]);
  CHECK(result->trajectory.states[1].scalar == 4);
}

TEST_CASE("states of rows and columns are shorter than their tensors") {
  Json json = small_case();
  json["state"]["r"] = {{7}, nullptr};
  const auto result = parsed(json);
  REQUIRE(result);
  REQUIRE(result->trajectory.states.size() == 3);
  CHECK(*result->trajectory.states[2].tensors[0] == std::vector<double>{7});
}

TEST_CASE("some tensors of a case, in the order asked for") {
  const auto whole = parsed(small_case());
  REQUIRE(whole);
  const auto last = only_tensors(*whole, std::vector<std::size_t>{1});
  REQUIRE(last);
  CHECK(last->tensors.size() == 1);
  CHECK(last->tensors[0].elements == 1);
  CHECK(last->start == TensorValues{whole->start[1]});
  CHECK(last->trajectory.gradients[0] == TensorValues{{2}});
  CHECK(last->trajectory.params[0] == TensorValues{{2}});
  CHECK(last->trajectory.states[0].tensors.size() == 1);
  CHECK(!last->trajectory.states[0].tensors[0]);
  CHECK(last->trajectory.states[1].scalar == 4);
  const auto swapped = only_tensors(*whole, std::vector<std::size_t>{1, 0});
  REQUIRE(swapped);
  CHECK(swapped->trajectory.gradients[0] == TensorValues{{2}, {1, 1}});

  const auto message = [&](std::vector<std::size_t> chosen) {
    const auto refused = only_tensors(*whole, chosen);
    REQUIRE(!refused);
    CHECK(refused.failure().kind == support::FailureKind::Usage);
    return refused.failure().message;
  };
  CHECK(message({0, 2}).find("has 2 tensors, so none is 2") != std::string::npos);
  CHECK(message({1, 0, 1}) == "tensor 1 is named twice");
  ReplayCase schedule = *whole;
  schedule.kind = CaseKind::Schedule;
  CHECK(!only_tensors(schedule, std::vector<std::size_t>{0}));
}

TEST_CASE("noise is read for every step") {
  Json json = small_case();
  json["extra"] = {{"noise", {{{0.5, -0.5}, {2}}}}};
  const auto result = parsed(json);
  REQUIRE(result);
  CHECK(result->trajectory.noise[0][0][1] == -0.5);
  refusal("/extra", R"({"noise": []})");
  refusal("/extra", R"({"noise": [[[1], [2]]]})");
}

TEST_CASE("numbers that are not finite are texts") {
  Json json = small_case();
  json["params"][0][0] = {"nan", "-inf"};
  const auto result = parsed(json);
  REQUIRE(result);
  CHECK(std::isnan(result->trajectory.params[0][0][0]));
  CHECK(result->trajectory.params[0][0][1] == -INFINITY);
}

TEST_CASE("schedules and problems are told apart") {
  CHECK(
      parsed(
          Json::parse(
              R"({"name": "s", "family": "f", "hyper": {}, "tol": {"float64": 1}, "values": [1, 2]})"))
          ->kind == CaseKind::Schedule);
  const auto problem = parsed(Json::parse(R"({"name": "p", "hyper": {}, "tol": {"float64": 1},
    "tensors": [{"name": "w", "shape": [1]}], "p0": [[0]], "data": {"x": [1, 2], "y": [3, 4]}, "loss": [5],
    "params": [[6]], "extra": {"permutations": [[1, 0]]}})"));
  REQUIRE(problem);
  CHECK(problem->kind == CaseKind::Problem);
  CHECK(problem->problem.orders == std::vector<std::vector<std::uint32_t>>{{1, 0}});
  CHECK(problem->problem.params[0][0][0] == 6);
}

TEST_CASE("files that are not cases are refused, not believed") {
  refusal("/p0", "[[1, 2]]");
  refusal("/p0", "[[1, 2, 3], [4]]");
  refusal("/p0", "7");
  refusal("/grads", "[]");
  refusal("/grads", R"([[["x", 1], [2]]])");
  refusal("/tensors", R"([{"shape": [-1]}, {"shape": []}])");
  refusal("/tensors", R"([{"shape": [1000000, 1000000]}, {"shape": []}])");
  refusal("/tensors", R"([{"shape": [2.5]}, {"shape": []}])");
  refusal("/hyper", "[]");
  refusal("/name", "3");
  refusal("/tol", "{}");
  refusal("/f32", R"({"steps": [9], "params": [[[1, 1], [1]]]})");
  refusal("/extra", R"({"lr": [1, 2, 3]})");
  refusal("/extra", R"({"hess": [[[1, 1], [1]]]})");
}

TEST_CASE("texts that are not JSON are refused") {
  const std::string open(100000, '[');
  for (const std::string& text : {std::string(), std::string("{"), std::string("null"),
                                  std::string("\xff\xfe"), open, open + std::string(100000, ']')}) {
    const auto result = parse_case("CASE", text);
    REQUIRE(!result);
    CHECK(result.failure().kind == support::FailureKind::Io);
  }
}

TEST_CASE("deep nesting inside a case is refused") {
  Json json = small_case();
  json.erase("p0");
  std::string text = json.dump();
  text.insert(1, "\"p0\": " + std::string(100000, '[') + std::string(100000, ']') + ", ");
  CHECK(!parse_case("CASE", text));
}

TEST_CASE("a missing file is named") {
  const auto result = read_case("/no/such/case.json");
  REQUIRE(!result);
  CHECK(result.failure().kind == support::FailureKind::Io);
  CHECK(result.failure().message.find("/no/such/case.json") != std::string::npos);
}

}  // namespace talweg::cli
