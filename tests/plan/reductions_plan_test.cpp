// What rules with reductions move, and that their plans compute what their graphs say.
#include <catch2/catch.hpp>
#include <map>

#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/reducing_rules.h"
#include "tests/plan/run_plan.h"

namespace talweg::plan {

namespace {

using types::ComputeType;

Plan plan_of(const std::string& rule, ComputeType compute = ComputeType::F32) {
  return make_plan(passes::run_passes(tests::graph_of_rule(rule, tests::kReducingRules)), compute);
}

}  // namespace

TEST_CASE("rules with reductions move no more bytes than they must") {
  // Per float32 parameter, in all passes together.
  const std::map<std::string, std::uint32_t> bytes = {
      {"AdamW", 28},
      {"m.ClipByGlobalNorm | AdamW", 32},  // grad once more, for its norm
      {"m.ClipByGlobalNorm | AdamW | Ema", 40},
      // First pass: param, grad, m, v in, m and v out; second: param, m, v in, param out.
      {"m.Lamb", 40},
      {"m.ClipByGlobalNorm | m.Lamb", 44},
      {"AdamW | m.Cautious", 40},
      // The last gradient twice in, once out.
      {"m.Mars | AdamW", 44},
      // grad, v and s for the new s and the rate; param, grad, m and v for the step. L2 decay puts
      // param into the gradient, and so into the first pass too.
      {"DAdaptAdam(decoupled = true)", 44},
      {"DAdaptAdam", 48},
  };
  for (const auto& [rule, expected] : bytes) {
    INFO(rule);
    const Plan plan = plan_of(rule);
    INFO(print(plan));
    CHECK(bytes_per_element(plan).total() == expected);
    CHECK(plan.scratch.empty());
  }
}

TEST_CASE("a step that waits moves no more bytes than it must") {
  // Grad for its norm; param and grad in, param moved and kept; then the new grad, what param was,
  // m and v in, param, m and v out.
  const Plan plan = plan_of("SAM | AdamW");
  INFO(print(plan));
  CHECK(bytes_per_element(plan).total() == 4 + 16 + 28);
  REQUIRE(plan.scratch.size() == 1);
  CHECK(plan.origin == 0);
  CHECK(plan.regrad_phases == std::vector<std::uint32_t>{1});
  // The norm of the new gradient once more.
  CHECK(bytes_per_element(plan_of("SAM | m.ClipByGlobalNorm | AdamW")).total() == 48 + 4);
}

TEST_CASE("a value that takes more to make again than to keep is kept in scratch") {
  const Plan plan = plan_of("m.Wide");
  INFO(print(plan));
  // Once grad and the three inputs, and scratch both ways; then param both ways. Without scratch 16
  // bytes more are read, and 8 bytes less are moved for scratch.
  REQUIRE(plan.scratch.size() == 1);
  CHECK(bytes_per_element(plan).total() == 16 + 4 + 4 + 8);
}

TEST_CASE("plans of rules with reductions compute what the rules say") {
  for (const char* rule :
       {"m.ClipByGlobalNorm | AdamW | Ema", "m.Lamb", "m.ClipByGlobalNorm | m.Lamb",
        "AdamW | m.Cautious", "m.Mars | AdamW", "m.Wide", "m.All", "m.Guard | AdamW", "m.Ways",
        "m.Chain", "m.Chain | m.Guard | m.All", "m.Guard | m.Ways | m.Wide"}) {
    INFO(rule);
    for (const ComputeType compute : {ComputeType::F32, ComputeType::F64}) {
      const Plan plan = plan_of(rule, compute);
      tests::Random random(23);
      for (int i = 0; i < 20; ++i)
        tests::require_plan_agrees(plan, tests::random_step(plan.graph, compute, random));
    }
  }
}

}  // namespace talweg::plan
