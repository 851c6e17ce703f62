// Random rules as GPU kernels: simulated, and as interpreted PTX. The commands are those of
// tests/random/commands.h.
#include <exception>

#include "tests/gpu/executors.h"
#include "tests/random/commands.h"

namespace {

using namespace talweg;

constexpr const char *kSimulated = "nvptx-sm80", *kPtx = "nvptx-sm90";

support::Result<std::shared_ptr<driver::Program>> compile_kernels(const ir::Graph& graph,
                                                                  types::ComputeType compute,
                                                                  const std::string& isa) {
  try {
    return gpu::make_kernel_program(graph, compute, *targets::find_target(isa),
                                    isa == kPtx ? gpu::interpret_ptx() : gpu::simulate());
  } catch (const std::exception& fault) {
    return support::Failure{support::FailureKind::Program, fault.what()};
  }
}

}  // namespace

int main(int argc, char** argv) {
  return tests::run_random_rules({"gpu_random_rules", {kSimulated, kPtx}, compile_kernels, {3}},
                                 argc, argv);
}
