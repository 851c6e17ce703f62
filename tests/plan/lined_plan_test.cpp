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

namespace {

/// The step with numbers below 1 for elements and lines: sums of hard ones are mostly NaN.
tests::StepCase made_plain(tests::StepCase step, ComputeType compute, tests::Random& random) {
  const auto draw = [&](std::vector<double>& values) {
    for (double& value : values) {
      const double plain = static_cast<double>(random.next() >> 11) * 0x1p-53;
      value = compute == ComputeType::F32 ? static_cast<double>(static_cast<float>(plain)) : plain;
    }
  };
  for (tests::TensorCase& tensor : step.tensors) {
    for (ir::ElementContext& element : tensor.elements) {
      std::vector<double> values(2);
      draw(values);
      element.param = values[0];
      element.grad = values[1];
      draw(element.states);
      draw(element.inputs);
    }
    for (auto* lines : {&tensor.matrix_states, &tensor.row_states, &tensor.col_states,
                        &tensor.matrix_inputs, &tensor.row_inputs, &tensor.col_inputs})
      for (std::vector<double>& values : *lines) draw(values);
  }
  return step;
}

}  // namespace

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
      for (int i = 0; i < 12; ++i) {
        tests::StepCase step = tests::random_step(graph, compute, random);
        if (i % 3 != 0) step = made_plain(std::move(step), compute, random);
        tests::require_plan_agrees(plan, step);
      }
    }
  }
  for (const PartialKind kind :
       {PartialKind::Chunk, PartialKind::LineRow, PartialKind::LineBlock, PartialKind::Tensor,
        PartialKind::Matrix, PartialKind::Row, PartialKind::Col})
    CHECK(kinds.contains(kind));
  CHECK(line_passes > 10);
}

}  // namespace talweg::plan
