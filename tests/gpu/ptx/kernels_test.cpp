// Kernels of the library's rules as PTX leave the bits of the interpreter, for each architecture.
#include <catch2/catch.hpp>
#include <functional>
#include <span>

#include "compiler/driver/generate.h"
#include "compiler/targets/nvptx.h"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/lined_run.h"
#include "tests/gpu/kernel_program.h"
#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/ptx/summary.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/sample_size.h"

namespace talweg::tests {

namespace {

/// Exact, and without local memory: what is promised of kernels.
void check_text(const std::string& ptx) {
  for (const gpu::ptx::Summary& summary : gpu::ptx::summarize(ptx)) {
    INFO(summary.kernel);
    CHECK_FALSE(summary.uses_local_memory());
    CHECK(summary.flushing == 0);
    CHECK(summary.approximate == 0);
  }
}

using Edit = std::function<void(std::string&)>;

/// `edit` may change the text before it runs.
std::shared_ptr<driver::Program> as_kernels(
    const ir::Graph& graph, types::ComputeType compute, const targets::Target& target,
    const Edit& edit = [](std::string&) {}) {
  return gpu::make_kernel_program(
      graph, compute, target,
      [&](const plan::Plan& plan, const targets::Target& of, gpu::DeviceMemory& memory) {
        std::string ptx = driver::generate(plan, of, targets::CodeKind::Assembly);
        check_text(ptx);
        edit(ptx);
        return std::make_unique<gpu::PtxInterpreter>(std::move(ptx), memory);
      });
}

/// Compares what `run` leaves of a program between the interpreter and every architecture; of
/// float64, where they differ in nothing, one.
template <class Run>
void require_same_bits_of(const std::string& rule, const ir::Graph& graph,
                          types::ComputeType compute, Run run) {
  const Outcome expected = run(driver::make_interpreter(graph, compute));
  std::span<const targets::Target* const> architectures = targets::nvptx_targets();
  if (compute == types::ComputeType::F64) architectures = architectures.subspan(1, 1);
  for (const targets::Target* target : architectures) {
    INFO(rule << " on " << target->name());
    CHECK(first_difference(expected, run(as_kernels(graph, compute, *target))).empty());
  }
}

/// Rules of tensors without shapes, through the raw interface.
void require_bits(const std::string& rule, const ir::Graph& graph, const StepSetting& setting) {
  for (const auto compute : {types::ComputeType::F32, types::ComputeType::F64})
    require_same_bits_of(rule, graph, compute,
                         [&](const std::shared_ptr<driver::Program>& program) {
                           return run_steps(program->image(), setting);
                         });
}

/// Rules of matrices, rows and columns, through the runtime.
void require_lined_bits(const std::string& rule, const ir::Graph& graph,
                        const std::vector<Shape>& shapes) {
  const auto run = [&]<class T>(const std::shared_ptr<driver::Program>& program, T) {
    LinedRun<T> lined(program, lined_tensors(shapes), 1, Numbers::Hard);
    for (int step = 0; step < 3; ++step) lined.step();
    return lined.everything();
  };
  require_same_bits_of(rule, graph, types::ComputeType::F32,
                       [&](const auto& program) { return run(program, float{}); });
  require_same_bits_of(rule, graph, types::ComputeType::F64,
                       [&](const auto& program) { return run(program, double{}); });
}

}  // namespace

TEST_CASE("rules of the library leave the same bits as PTX") {
  std::size_t with_matrices = 0;
  const std::vector<std::string> rules = library_rules();
  REQUIRE(rules.size() > 20);
  std::uint64_t seed = 0;
  for (const std::string& rule : rules) {
    if (!is_in_sample(static_cast<std::uint64_t>(&rule - rules.data()))) continue;
    const ir::Graph graph = graph_of_rule(rule);
    if (graph.split) {
      require_lined_bits(rule, graph, {{7, 5}, {3, 1}, {33, 70}, {1, 129}});
      ++with_matrices;
      continue;
    }
    StepSetting setting;
    setting.tensors = {{131, 0}, {1, 1}, {16, 1}, {40, 0, false}, {4500, 1}};
    setting.group_count = 2;
    setting.steps = 3;
    setting.seed = ++seed;
    require_bits(rule, graph, setting);
  }
  if (sample_part() == 1) CHECK(with_matrices > 5);
}

TEST_CASE("pipelines leave the same bits as PTX") {
  StepSetting setting;
  setting.tensors = {{100}, {2300}};
  setting.steps = 2;
  for (const char* rule :
       {"ClipByGlobalNorm(1) | AdamW | Ema", "LAMB", "SGD(momentum = 0.9) | Ema"})
    require_bits(rule, graph_of_rule(rule), setting);
}

TEST_CASE("batches of matrices leave the same bits as PTX") {
  for (const char* rule : {"Adafactor", "ClipByGlobalNorm(1) | Adafactor"})
    require_lined_bits(rule, graph_of_rule(rule), {{2, 9, 4}, {3}, {40, 5}, {2, 2, 3, 3}});
}

TEST_CASE("random rules leave the same bits as PTX") {
  for (std::uint64_t seed = 1; seed <= sample_size(15); ++seed) {
    StepSetting setting;
    setting.tensors = {{131, 0}, {1, 1}, {40, 0, false}, {1027, 1}};
    setting.group_count = 2;
    setting.steps = 2;
    setting.seed = seed;
    require_bits("seed " + std::to_string(seed), random_graph(seed, 60 + 3 * seed, seed % 3),
                 setting);
  }
}

TEST_CASE("one instruction changed is noticed") {
  const ir::Graph graph = graph_of_rule("AdamW");
  StepSetting setting;
  setting.tensors = {{131}, {2300}};
  setting.steps = 2;
  const auto compute = types::ComputeType::F32;
  const Outcome expected = run_steps(driver::make_interpreter(graph, compute)->image(), setting);
  const std::pair<std::string_view, std::string_view> changes[] = {
      {"mul.rn.f32", "add.rn.f32"},          {"add.rn.f32", "sub.rn.f32"},
      {"sqrt.rn.f32", "rcp.rn.f32"},         {"sub.rn.f64", "add.rn.f64"},
      {"cvt.rn.f32.f64", "cvt.rzi.s32.f64"}, {"shl.b64", "shr.u64"}};
  for (const targets::Target* target : targets::nvptx_targets())
    for (const auto& [from, to] : changes) {
      bool is_noticed = false;
      const auto program = as_kernels(graph, compute, *target, [&](std::string& ptx) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = ptx.find(from, at)) != std::string::npos; ++count)
          ptx.replace(at, from.size(), to);
        INFO(from << " for " << target->name());
        CHECK(count > 0);
      });
      try {
        is_noticed = !first_difference(expected, run_steps(program->image(), setting)).empty();
      } catch (const gpu::Fault&) {
        is_noticed = true;
      }
      INFO(from << " as " << to << " on " << target->name());
      CHECK(is_noticed);
    }
}

}  // namespace talweg::tests
