// Plans of rules of matrices, rows and columns compute what the rules say.
#include <catch2/catch.hpp>
#include <set>

#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "tests/codegen/lined_rules.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/plan/run_plan.h"

namespace talweg::plan {

using types::ComputeType;

TEST_CASE("plans of rules of matrices, rows and columns compute what the rules say") {
  std::set<PartialKind> kinds;
  std::size_t line_passes = 0;
  for (const char* rule :
       {"m.Every", "m.Upward", "m.Mixed", "m.Factored", "m.Chain", "m.Chains", "m.Guarded",
        "m.Chosen", "m.Longer", "m.Arms", "m.Supplied", "m.Few", "m.Guarded | m.Upward"}) {
    INFO(rule);
    const ir::Graph graph =
        passes::run_passes(tests::graph_of_rule(rule, tests::lined_rules("last two")));
    for (const ComputeType compute : {ComputeType::F32, ComputeType::F64}) {
      const Plan plan = make_plan(graph, compute);
      for (const PlannedReduction& reduction : plan.reductions) kinds.insert(reduction.kind);
      for (const Phase& phase : plan.phases) line_passes += phase.lines ? 1 : 0;
      tests::Random random(29);
      for (int i = 0; i < 12; ++i)
        tests::require_plan_agrees(plan, tests::random_step(graph, compute, random));
    }
  }
  for (const PartialKind kind :
       {PartialKind::Chunk, PartialKind::LineRow, PartialKind::LineBlock, PartialKind::Tensor,
        PartialKind::Matrix, PartialKind::Row, PartialKind::Col})
    CHECK(kinds.contains(kind));
  CHECK(line_passes > 10);
}

}  // namespace talweg::plan
