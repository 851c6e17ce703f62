// Kernels of the library's rules as PTX leave the bits of the interpreter, for each architecture.
#include <catch2/catch.hpp>

#include "compiler/driver/generate.h"
#include "compiler/targets/nvptx.h"
#include "tests/codegen/bitcheck.h"
#include "tests/gpu/kernel_program.h"
#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/ptx/summary.h"
#include "tests/ir/compile_text.h"
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

std::shared_ptr<driver::Program> as_kernels(const ir::Graph& graph, types::ComputeType compute,
                                            const targets::Target& target) {
  return gpu::make_kernel_program(
      graph, compute, target,
      [](const plan::Plan& plan, const targets::Target& of, gpu::DeviceMemory& memory) {
        const std::string ptx = driver::generate(plan, of, targets::CodeKind::Assembly);
        check_text(ptx);
        return std::make_unique<gpu::PtxInterpreter>(ptx, memory);
      });
}

void require_bits(const std::string& rule, const StepSetting& setting) {
  const ir::Graph graph = graph_of_rule(rule);
  if (graph.split) return;  // these tensors have no shapes
  for (const auto compute : {types::ComputeType::F32, types::ComputeType::F64}) {
    const Outcome expected = run_steps(driver::make_interpreter(graph, compute)->image(), setting);
    for (const targets::Target* target : targets::nvptx_targets()) {
      const Outcome actual = run_steps(as_kernels(graph, compute, *target)->image(), setting);
      INFO(rule << " on " << target->name());
      CHECK(first_difference(expected, actual).empty());
    }
  }
}

}  // namespace

TEST_CASE("rules of the library leave the same bits as PTX") {
  const std::vector<std::string> rules = library_rules();
  REQUIRE(rules.size() > 20);
  std::uint64_t seed = 0;
  for (const std::string& rule : rules) {
    if (!is_in_sample(static_cast<std::uint64_t>(&rule - rules.data()))) continue;
    StepSetting setting;
    setting.tensors = {{131, 0}, {1, 1}, {16, 1}, {40, 0, false}, {1027, 1}};
    setting.group_count = 2;
    setting.steps = 3;
    setting.seed = ++seed;
    require_bits(rule, setting);
  }
}

TEST_CASE("pipelines leave the same bits as PTX") {
  StepSetting setting;
  setting.tensors = {{100}, {2300}};
  setting.steps = 2;
  for (const char* rule :
       {"ClipByGlobalNorm(1) | AdamW | Ema", "LAMB", "SGD(momentum = 0.9) | Ema"})
    require_bits(rule, setting);
}

}  // namespace talweg::tests
