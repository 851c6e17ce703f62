// In place of tests/codegen/targets_here.cpp: the tests of bits see no machine but a GPU, whose
// kernels are simulated, or whose PTX is interpreted (TALWEG_GPU_PTX).
#include "tests/codegen/bitcheck.h"
#include "tests/gpu/executors.h"

namespace talweg::tests {

namespace {

#if defined(TALWEG_GPU_PTX)
constexpr const char* kTarget = "nvptx-sm90";
const auto kExecutor = gpu::interpret_ptx;
#else
constexpr const char* kTarget = "nvptx-sm80";
const auto kExecutor = gpu::simulate;
#endif

}  // namespace

std::vector<std::string> isas_here() { return {kTarget}; }

/// Tests that need one machine, whichever, ask for "host".
std::shared_ptr<driver::Program> compile_for(const ir::Graph& graph, types::ComputeType compute,
                                             const std::string& isa) {
  const targets::Target& target = *targets::find_target(isa == "host" ? kTarget : isa);
  return gpu::make_kernel_program(graph, compute, target, kExecutor());
}

}  // namespace talweg::tests
