// Rules whose phases wait for values of their tensor leave the same bits where small tensors run
// through them one after the other (runtime/optimizer/spans.c) as on the interpreter, where all
// phases have functions of the model, and so all tensors run phase by phase.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/codegen/lined_run.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

constexpr const char* kModule = R"(
/// Three phases, each waiting for its tensor only; a state of tensors, one that begins with param.
rule Chain {
  hyper lr = 0.1 in [0, inf)
  state slow = param
  state tensor length = 0
  step {
    let a = grad / (1 + norm(grad) per tensor)
    let b = a - (mean(a * slow) per tensor)
    length = max(0, max(abs(b)) per tensor)
    slow += 0.5 * (param - slow)
    update = lr * b / (1 + length)
  }
}
/// Ends for all tensors what Chain has begun.
rule Guard {
  step {
    skip if (max(abs(grad)) per model) > 0.9999
    update = update
  }
}
)";

constexpr const char* kRules[] = {"LAMB",
                                  "LARS",
                                  "StableAdamW",
                                  "ClipByTensorNorm | AdamW",
                                  "NormalizeGradient | LAMB | Ema",
                                  "m.Chain",
                                  "m.Chain | m.Guard",
                                  "ClipByGlobalNorm | LAMB"};

/// Small ones, some in one block, around the sizes at which a tensor is large (16,384 elements or
/// 32,768 at most, fewer where many threads share little), and larger ones.
const std::vector<LinedTensor>& tensors() {
  static const std::vector<LinedTensor> all = lined_tensors(
      {{3}, {7000}, {0}, {40000}, {16384}, {1}, {700}, {500}, {16385}, {20, 50}, {33000}, {9000}});
  return all;
}

template <class T>
Outcome after_steps(const std::shared_ptr<driver::Program>& program, std::uint32_t threads) {
  LinedRun<T> run(program, tensors(), threads);
  for (int step = 0; step < 3; ++step) run.step();
  return run.everything();
}

/// A phase with nothing of model or groups before it.
bool has_span(const talweg_image& image) {
  const talweg_phase* phases = image.step.phases;
  return std::any_of(phases + 1, phases + image.step.phase_count, [](const talweg_phase& phase) {
    return phase.model_scalars == nullptr && phase.group_scalars == nullptr;
  });
}

template <class T>
void check_rule(const std::string& rule, types::ComputeType compute) {
  const ir::Graph graph = graph_of_rule(rule, kModule);
  const auto interpreter = driver::make_interpreter(graph, compute);
  CHECK_FALSE(has_span(interpreter->image()));
  const Outcome expected = after_steps<T>(interpreter, 1);
  CHECK(std::ranges::all_of(expected, [](double value) { return std::isfinite(value); }));
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph, compute, isa);
    INFO(rule << " on " << isa);
    CHECK(has_span(program->image()));
    for (const std::uint32_t threads : {1U, 2U, 3U, 5U, 8U}) {
      if (threads != 1 && isa != isas_here().back()) continue;
      INFO(threads << " threads");
      CHECK(first_difference(expected, after_steps<T>(program, threads)).empty());
    }
  }
}

}  // namespace

TEST_CASE("spans have the same bits as phases of all tensors, float32") {
  check_rule<float>(GENERATE(from_range(std::begin(kRules), std::end(kRules))),
                    types::ComputeType::F32);
}

TEST_CASE("spans have the same bits as phases of all tensors, float64") {
  check_rule<double>(GENERATE(from_range(std::begin(kRules), std::end(kRules))),
                     types::ComputeType::F64);
}

}  // namespace talweg::tests
