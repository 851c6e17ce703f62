// Reductions that some tensors have no use for, or cannot have: what they leave out must be
// nobody's loss.
#include <catch2/catch.hpp>

#include "tests/codegen/lined_run.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

constexpr const char* kRules = R"(
rule OneRouteReads {
  hyper lr = 0.1 in [0, inf)
  step {
    let n = norm(grad) per model
    update = lr * if rank >= 2 then param else grad * n
  }
}
rule OneStageReads = Scaled | ForMatrices
rule Scaled { step { grad *= norm(grad) per model } }
rule ForMatrices {
  when rank >= 2: Shrink
}
rule Shrink { step { update = 0.1 * param } }
rule OneGroupReads {
  hyper lr = 0.1 in [0, inf)
  step {
    let n = norm(if t > 1 then grad else 2 * grad) per model
    update = lr * if t > 2 then grad * n else grad
  }
}
rule SumOfTensors {
  step {
    let s = sum(if rank >= 2 then max(abs(grad)) per tensor else 0) per model
    update = 0.1 * grad * s
  }
}
rule RowsInScalar {
  hyper lr = 0.1 in [0, inf)
  step {
    let s = if rank >= 2 then max(abs(grad - mean(grad) per row)) per tensor else 1
    update = lr * grad * s
  }
}
rule ScratchOfMatrices {
  when rank >= 2: Kept
  otherwise:      SGD
}
rule Kept {
  state s0
  state s2 = 0.1
  state row r
  step {
    s2 = 0.5 * s2 + 0.3 * s0
    grad = 0.5 * grad + 0.1 * abs(s2 * grad)
    r = 0.5 * r + max(grad + param) per row
    s0 = 0.5 * s0 + 0.3 * (if any(param + min(grad + min(grad) per matrix) per row > 0.2) per tensor then 1 else 0.5)
    update = 0.1 * (s2 + r) / (1 + norm(s0 + grad) per tensor)
  }
}
rule Averaged = Adafactor | Ema
)";

std::vector<Outcome> steps_of(const std::shared_ptr<driver::Program>& program) {
  LinedRun<float> run(program, lined_tensors({{5, 7}, {33}, {64, 3}, {}, {2, 3, 4}}), 2);
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 4; ++i) {
    (void)run.step();
    outcomes.push_back(run.everything());
  }
  return outcomes;
}

}  // namespace

TEST_CASE("reductions that some tensors have no use for") {
  for (const char* rule : {"OneRouteReads", "OneStageReads", "OneGroupReads", "SumOfTensors",
                           "RowsInScalar", "ScratchOfMatrices", "Averaged"}) {
    const ir::Graph graph = graph_of_rule(std::string("m.") + rule, kRules);
    const auto expected = steps_of(driver::make_interpreter(graph, types::ComputeType::F32));
    for (const std::string& isa : isas_here()) {
      const auto actual = steps_of(compile_for(graph, types::ComputeType::F32, isa));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO(rule << " for " << isa << ", step " << i + 1);
        CHECK(first_difference(expected[i], actual[i]).empty());
      }
    }
  }
}

}  // namespace talweg::tests
