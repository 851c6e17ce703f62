// The kernels of runtime/gpu are compiled when talweg is built, and are linked into a rule's module
// before code is generated from it: so both are for the same processor, and one text to load.
#include "compiler/driver/device_code.h"

#include <fmt/format.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/MemoryBuffer.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "compiler/base/check.h"
#include "compiler/driver/code_cache.h"
#include "compiler/driver/generate.h"
#include "compiler/passes/pass.h"
#include "runtime/gpu/embedded.h"

namespace talweg::driver {

namespace {

std::unique_ptr<llvm::Module> read_common_kernels(llvm::LLVMContext& context) {
  const llvm::MemoryBufferRef bytes(
      {talweg_gpu_kernels, static_cast<std::size_t>(talweg_gpu_kernels_end - talweg_gpu_kernels)},
      "kernels of every rule");
  llvm::Expected<std::unique_ptr<llvm::Module>> module = llvm::parseBitcodeFile(bytes, context);
  TALWEG_CHECK(static_cast<bool>(module), "the embedded kernels cannot be read");
  // The processor that they were compiled for is the oldest; the target says for which they are.
  for (llvm::Function& function : **module) {
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
  }
  return std::move(*module);
}

}  // namespace

std::string generate_device_code(const plan::Plan& plan, const targets::Target& target) {
  llvm::LLVMContext context;
  llvm::Module module(plan.graph.name, context);
  fill_module(module, plan, target);
  const bool failed = llvm::Linker::linkModules(module, read_common_kernels(context));
  TALWEG_CHECK(!failed, "a rule's kernels do not link with those of every rule");
  return target.generate(module, targets::CodeKind::Assembly);
}

support::Result<std::string> compile_device_code(const ir::Graph& graph,
                                                 const CompileOptions& options,
                                                 const std::string& isa) {
  const targets::Target* target = targets::find_target(isa);
  if (target == nullptr || !target->shape().is_gpu)
    return support::Failure{support::FailureKind::Usage,
                            fmt::format("`{}` is no instruction set of a GPU", isa)};
  const plan::Plan plan = plan::make_plan(passes::run_passes(graph), options.compute);
  const std::optional<ObjectCache> cache = open_cache(options);
  const std::string key = cache ? cache_key(plan, *target) : std::string();
  if (!key.empty())
    if (auto found = cache->find(key)) return std::move(*found);
  std::string text = generate_device_code(plan, *target);
  if (!key.empty()) cache->store(key, text);
  return text;
}

}  // namespace talweg::driver
