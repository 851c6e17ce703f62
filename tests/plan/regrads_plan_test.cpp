// How many loops regrads under conditions take, what those loops move, and that folds are made only
// where something is computed from them.
#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "tests/codegen/waiting_rules.h"
#include "tests/ir/compile_text.h"
#include "tests/plan/run_plan.h"

namespace talweg::plan {

namespace {

using types::ComputeType;

/// Beside the rules that wait.
constexpr const char* kFar = R"(
rule Far {                        // two conditions decide what is read of the norm
  hyper model int every = 2 in [1, inf)
  hyper model bool on = true
  state model far
  step {
    if t % every == 0 and on { far = norm(param) per model }
    update = grad / (1 + far)
  }
}
)";

Plan plan_of(const std::string& rule, ComputeType compute = ComputeType::F32) {
  return make_plan(
      passes::run_passes(tests::graph_of_rule(rule, std::string(tests::kWaitingRules) + kFar)),
      compute);
}

std::string repeated(const std::string& stage, int count) {
  std::string rule;
  for (int i = 0; i < count; ++i) rule += stage + " | ";
  return rule + "AdamW";
}

/// The loops of all passes, and of the pass that has most.
struct LoopCount {
  std::size_t all = 0, most = 0;
};

LoopCount count_loops(const Plan& plan) {
  LoopCount count;
  for (const Phase& phase : plan.phases) {
    if (!phase.pass) continue;
    count.all += phase.pass->versions.size();
    count.most = std::max(count.most, phase.pass->versions.size());
  }
  return count;
}

/// Bytes that a pass moves in the loop that is taken where some conditions hold, and others do not.
std::vector<std::uint32_t> bytes_of_loops(const Plan& plan, std::size_t phase) {
  std::vector<std::uint32_t> bytes;
  for (const LoopVersion& version : plan.phases[phase].pass->versions) {
    const Traffic traffic = traffic_of(plan, *plan.phases[phase].pass, version);
    bytes.push_back(traffic.read_bytes + traffic.written_bytes);
  }
  return bytes;
}

}  // namespace

TEST_CASE("each regrad under a condition of its own adds as many loops as the one before") {
  // Two for its norm and at most five for what it moves: whether it waits, and whether the step has
  // waited before, with and without guards.
  for (int stages = 1; stages <= 8; ++stages) {
    INFO(stages);
    const LoopCount count = count_loops(plan_of(repeated("m.Seldom", stages)));
    CHECK(count.most <= 5);
    CHECK(count.all <= 4 + 7 * static_cast<std::size_t>(stages));
  }
}

TEST_CASE("where all ways do the same they share a loop") {
  for (int stages = 1; stages <= 8; ++stages) {
    INFO(stages);
    const Plan plan = plan_of(repeated("m.Again", stages));
    // One without work where the step waits; AdamW, and what it does where guards fail.
    CHECK(count_loops(plan).all == static_cast<std::size_t>(stages) + 2);
    CHECK(bytes_per_element(plan).total() == 28);
  }
}

TEST_CASE("what is read only in steps that wait is folded only there") {
  const Plan plan = plan_of("LookSAM | SGD(momentum = 0.9)");
  INFO(print(plan));
  REQUIRE(plan.phases.size() == 4);
  // The norm of the gradient and, where no step waits, of `rest`; then what waits.
  CHECK(bytes_of_loops(plan, 0) == std::vector<std::uint32_t>{4, 8});
  CHECK(bytes_of_loops(plan, 2) == std::vector<std::uint32_t>{8, 0});
}

TEST_CASE("what is read under a condition of the rule is folded only where it holds") {
  const Plan plan = plan_of("m.Far");
  INFO(print(plan));
  REQUIRE(plan.phases.size() == 2);
  CHECK(bytes_of_loops(plan, 0) == std::vector<std::uint32_t>{4, 0});
}

TEST_CASE("plans of rules with many ways compute what the rules say") {
  for (const std::string& rule :
       {repeated("m.Seldom", 3), repeated("m.Again", 3), std::string("m.Far"),
        std::string("m.Again | m.Seldom | LookSAM | m.Again | m.Far"),
        std::string("LookSAM | LookSAM(over = tensor) | m.Seldom | AdamW"),
        std::string("AccumulateGradient | m.Seldom | ClipByGlobalNorm | m.Far")}) {
    INFO(rule);
    for (const ComputeType compute : {ComputeType::F32, ComputeType::F64}) {
      const Plan plan = plan_of(rule, compute);
      tests::Random random(29);
      for (int i = 0; i < 40; ++i)
        tests::require_plan_agrees(plan, tests::random_step(plan.graph, compute, random));
    }
  }
}

}  // namespace talweg::plan
