// Every rule of the library leaves the interpreter's bits as GPU kernels.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/gpu/executors.h"
#include "tests/ir/compile_text.h"
#include "tests/sample_size.h"

namespace talweg::gpu {
namespace {

using tests::StepSetting;

void require_same_bits(const ir::Graph& graph, const StepSetting& setting, const std::string& what,
                       const MakeExecutor& make_executor) {
  const targets::Target& target = *targets::find_target("nvptx-sm80");
  for (const auto compute : {types::ComputeType::F32, types::ComputeType::F64}) {
    const auto interpreter = driver::make_interpreter(graph, compute);
    const auto kernels = make_kernel_program(graph, compute, target, make_executor);
    const std::string difference =
        tests::first_difference(tests::run_steps(interpreter->image(), setting),
                                tests::run_steps(kernels->image(), setting));
    if (!difference.empty()) FAIL(fmt::format("{}, {}: {}", what, to_text(compute), difference));
  }
}

TEST_CASE("the library's rules have the same bits as simulated kernels") {
  std::uint64_t seed = 0;
  for (const std::string& rule : tests::library_rules()) {
    const ir::Graph graph = tests::graph_of_rule(rule);
    if (graph.split) continue;  // these tensors have no shapes
    StepSetting setting;
    setting.tensors = {{131, 0}, {1, 1}, {16, 1}, {40, 0, false}, {2500, 0}};
    setting.group_count = 2;
    setting.steps = 3;
    setting.seed = ++seed;
    setting.placement = seed % 2 == 0 ? tests::Placement::AtStart : tests::Placement::AtEnd;
    require_same_bits(graph, setting, rule, simulate());
  }
}

}  // namespace
}  // namespace talweg::gpu
