// Every rule of the library: passes keep its values, and its plan computes what its graph says.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/whole_step.h"
#include "tests/plan/run_plan.h"

namespace talweg::plan {

using types::ComputeType;

namespace {

/// By route: the bytes that all passes together read and write for one element.
std::vector<std::uint32_t> bytes_by_route(const Plan& plan) {
  std::vector<std::uint32_t> bytes(plan.routes.size());
  for (const Phase& phase : plan.phases)
    for (const auto& pass : {phase.lines, phase.pass}) {
      if (!pass) continue;
      std::vector<std::uint32_t> most(plan.routes.size());
      for (const LoopVersion& version : pass->versions) {
        const Traffic traffic = traffic_of(plan, *pass, version);
        most[version.route] =
            std::max(most[version.route], traffic.read_bytes + traffic.written_bytes);
      }
      for (std::size_t route = 0; route < bytes.size(); ++route) bytes[route] += most[route];
    }
  return bytes;
}

}  // namespace

TEST_CASE("the library's rules keep their values through passes and plans") {
  for (const std::string& rule : tests::library_rules()) {
    INFO(rule);
    const ir::Graph before = tests::graph_of_rule(rule);
    const ir::Graph after = passes::run_passes(before);
    for (const ComputeType compute : {ComputeType::F32, ComputeType::F64}) {
      const Plan plan = make_plan(after, compute);
      tests::Random random(17);
      for (int i = 0; i < 20; ++i) {
        const tests::StepCase step = tests::random_step(before, compute, random);
        REQUIRE(tests::same(tests::outcome(before, compute, step),
                            tests::outcome(after, compute, step)));
        tests::require_plan_agrees(plan, step);
      }
    }
  }
}

TEST_CASE("the library's rules move no more bytes than they must") {
  // Per float32 parameter, read and written together.
  const std::map<std::string, std::uint32_t> bytes = {
      {"GradientDescent", 12},  // param and grad in, param out
      {"SGD", 12},              // its velocity is gone with the default momentum
      {"SGD(momentum = 0.9)", 20},
      {"AdamW", 28},  // and m and v both ways
      {"AdamW | Ema", 36},
      {"ClipValue | AdamW", 28},
      {"AccumulateGradient | AdamW", 36},  // in the call that moves; see exits_plan_test for others
  };
  for (const auto& [rule, expected] : bytes) {
    INFO(rule);
    const Plan plan = make_plan(passes::run_passes(tests::graph_of_rule(rule)), ComputeType::F32);
    CHECK(bytes_per_element(plan).total() == expected);
  }
}

TEST_CASE("rules of rows and columns move no more bytes than they must") {
  // Per float32 parameter of a matrix, then of a vector.
  const std::map<std::string, std::vector<std::uint32_t>> bytes = {
      // grad for rows and columns, param for its length, grad for that of the step; then the step.
      {"Adafactor", {24, 32}},
      {"Adafactor(beta1 = 0.9)", {32, 40}},
      {"AdafactorTorch", {24, 32}},
      {"CAME", {36, 36}},  // and grad and m for how far steps stray
      {"SM3", {16, 20}},   // grad for the largest of rows and columns; then the step
      {"SM3(momentum = 0.9)", {24, 28}},
      {"AdamP", {44, 28}},  // param, grad, m and v for the angles; then the step
      {"SGDP", {32, 20}},
      {"RowwiseAdagrad", {20}},
      {"RACS", {20}},
      {"AGC | SGD", {20, 20}},  // the lengths of param and grad; then the step
      {"CentralizeGradient | SGD", {16, 12}},
      {"NormalizeMatrix | SGD", {16, 12}},
  };
  for (const auto& [rule, expected] : bytes) {
    INFO(rule);
    const Plan plan = make_plan(passes::run_passes(tests::graph_of_rule(rule)), ComputeType::F32);
    CHECK(bytes_by_route(plan) == expected);
  }
}

}  // namespace talweg::plan
