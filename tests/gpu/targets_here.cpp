// In place of tests/codegen/targets_here.cpp: the tests of bits see no machine but a GPU, whose
// kernels are simulated.
#include "tests/codegen/bitcheck.h"
#include "tests/gpu/executors.h"

namespace talweg::tests {

std::vector<std::string> isas_here() { return {"nvptx-sm80"}; }

std::shared_ptr<driver::Program> compile_for(const ir::Graph& graph, types::ComputeType compute,
                                             const std::string& isa) {
  return gpu::make_kernel_program(graph, compute, *targets::find_target(isa), gpu::simulate());
}

}  // namespace talweg::tests
