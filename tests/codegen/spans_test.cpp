// Rules whose phases wait for values of their tensor leave the same bits where small tensors run
// through them one after the other (runtime/optimizer/spans.c) as on the interpreter, where all
// phases with passes have functions of the model, and so all tensors run phase by phase.
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
/// The same for rows, columns and matrices, which wait for each other.
rule Lined {
  hyper lr = 0.1 in [0, inf)
  matrix (last two)
  state slow = param
  state row across = lr
  state col down = 2
  state matrix whole
  state v
  step {
    let u = if rank >= 2 then {
      across = 0.5 * across + (mean((grad - slow)^2) per row)
      down = 0.5 * down + max(0, max(abs(grad)) per col)
      whole = 0.5 * whole + (sum(across) per matrix)
      let b = grad / (1 + across) - 0.1 * (mean(grad * down) per col)
      b / (1 + whole + (max(abs(b)) per row))
    } else {
      v = 0.5 * v + grad^2
      grad / (1 + v)
    }
    slow += 0.5 * (param - slow)
    update = lr * u / (1 + norm(u) per tensor)
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

constexpr const char* kLinedRules[] = {"Adafactor(beta1 = 0.9, weight_decay = 0.1)",
                                       "AdafactorOptax(min_dim = 3)",
                                       "CAME",
                                       "SM3(momentum = 0.9, beta = 0.9)",
                                       "ClipByTensorNorm | AdafactorTorch | Ema",
                                       "m.Lined",
                                       "m.Lined | m.Guard",
                                       "ClipByGlobalNorm | m.Lined"};

/// Small ones, some in one block, around the sizes at which a tensor is large (16,384 elements or
/// 32,768 at most, fewer where many threads share little), and larger ones.
const std::vector<LinedTensor>& tensors() {
  static const std::vector<LinedTensor> all = lined_tensors(
      {{3}, {7000}, {0}, {40000}, {16384}, {1}, {700}, {500}, {16385}, {20, 50}, {33000}, {9000}});
  return all;
}

/// The same of every rank up to 4, for SM3 up to 2.
const std::vector<LinedTensor>& matrices(bool has_batches) {
  static const std::vector<LinedTensor> flat = lined_tensors({{100, 90},
                                                              {20},
                                                              {16, 9},
                                                              {},
                                                              {0, 4},
                                                              {200, 210},
                                                              {1, 700},
                                                              {700, 1},
                                                              {65, 3},
                                                              {20'000},
                                                              {128, 128},
                                                              {129, 128}});
  static const std::vector<LinedTensor> all = [] {
    std::vector<LinedTensor> tensors = flat;
    const auto more =
        lined_tensors({{3, 70, 50}, {2, 3, 20, 10}, {2, 3, 65, 66}, {3, 0, 2}, {5, 1, 4}});
    tensors.insert(tensors.end(), more.begin(), more.end());
    return tensors;
  }();
  return has_batches ? all : flat;
}

template <class T>
Outcome after_steps(const std::shared_ptr<driver::Program>& program,
                    const std::vector<LinedTensor>& tensors, std::uint32_t threads) {
  LinedRun<T> run(program, tensors, threads);
  for (int step = 0; step < 3; ++step) run.step();
  return run.everything();
}

/// A phase with nothing of model or groups before it; with a pass over elements or lines.
bool has_span(const talweg_image& image, bool has_pass = false) {
  const talweg_phase* phases = image.step.phases;
  return std::any_of(phases + 1, phases + image.step.phase_count, [&](const talweg_phase& phase) {
    return phase.model_scalars == nullptr && phase.group_scalars == nullptr &&
           (!has_pass || phase.pass != nullptr || phase.lines != nullptr);
  });
}

template <class T>
void check_rule(const std::string& rule, types::ComputeType compute,
                const std::vector<LinedTensor>& tensors) {
  const ir::Graph graph = graph_of_rule(rule, kModule);
  const auto interpreter = driver::make_interpreter(graph, compute);
  CHECK_FALSE(has_span(interpreter->image(), true));
  const Outcome expected = after_steps<T>(interpreter, tensors, 1);
  // The largest of no value is -infinity.
  CHECK(std::ranges::all_of(expected, [](double value) { return value < HUGE_VAL; }));
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph, compute, isa);
    INFO(rule << " on " << isa);
    CHECK(has_span(program->image()));
    for (const std::uint32_t threads : {1U, 2U, 3U, 5U, 8U, 16U}) {
      if (threads != 1 && isa != isas_here().back()) continue;
      INFO(threads << " threads");
      CHECK(first_difference(expected, after_steps<T>(program, tensors, threads)).empty());
    }
  }
}

}  // namespace

TEST_CASE("spans have the same bits as phases of all tensors, float32") {
  check_rule<float>(GENERATE(from_range(std::begin(kRules), std::end(kRules))),
                    types::ComputeType::F32, tensors());
}

TEST_CASE("spans have the same bits as phases of all tensors, float64") {
  check_rule<double>(GENERATE(from_range(std::begin(kRules), std::end(kRules))),
                     types::ComputeType::F64, tensors());
}

TEST_CASE("spans have the same bits as phases of all tensors, matrices, float32") {
  const std::string rule = GENERATE(from_range(std::begin(kLinedRules), std::end(kLinedRules)));
  check_rule<float>(rule, types::ComputeType::F32, matrices(!rule.starts_with("SM3")));
}

TEST_CASE("spans have the same bits as phases of all tensors, matrices, float64") {
  const std::string rule = GENERATE(from_range(std::begin(kLinedRules), std::end(kLinedRules)));
  check_rule<double>(rule, types::ComputeType::F64, matrices(!rule.starts_with("SM3")));
}

}  // namespace talweg::tests
