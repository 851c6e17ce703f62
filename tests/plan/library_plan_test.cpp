// Every rule of the library: passes keep its values, and its plan computes what its graph says.
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

}  // namespace talweg::plan
