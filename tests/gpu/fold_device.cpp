#include "tests/gpu/fold_device.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/MemoryBuffer.h>

#include "compiler/targets/target.h"
#include "runtime/abi/talweg_gpu_abi.h"
#include "runtime/gpu/embedded.h"
#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/simulator/simulator.h"

namespace talweg::gpu {

namespace {

std::unique_ptr<llvm::Module> kernels(llvm::LLVMContext& context) {
  const llvm::MemoryBufferRef bytes(
      {talweg_gpu_kernels, static_cast<std::size_t>(talweg_gpu_kernels_end - talweg_gpu_kernels)},
      "kernels");
  auto module = llvm::cantFail(llvm::parseBitcodeFile(bytes, context));
  // What they are compiled for, the target says.
  for (llvm::Function& function : *module) {
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
  }
  return module;
}

}  // namespace

std::unique_ptr<Executor> make_fold_executor(FoldExecutor kind, DeviceMemory& memory) {
  if (kind == FoldExecutor::Ptx)
    return std::make_unique<PtxInterpreter>(fold_kernels_text("nvptx-sm80"), memory);
  llvm::LLVMContext context;
  const auto module = kernels(context);
  return std::make_unique<Simulator>(
      *module, memory,
      SimulatorOptions{.order_seed = kind == FoldExecutor::SimulatorReordered ? 7U : 0U});
}

std::string fold_kernels_text(const std::string& target) {
  llvm::LLVMContext context;
  const auto module = kernels(context);
  return targets::find_target(target)->generate(*module, targets::CodeKind::Assembly);
}

FoldDevice::FoldDevice(FoldExecutor executor) : executor_(make_fold_executor(executor, memory_)) {}

template <class Run>
void FoldDevice::launch(const std::vector<Run>& runs, std::vector<talweg_gpu_fold> folds,
                        const std::string& kernel) {
  const Run* there = copy(runs);
  for (talweg_gpu_fold& fold : folds) {
    fold.runs = there;
    fold.run_count = runs.size();
  }
  const talweg_gpu_folds args{.folds = copy(folds),
                              .takes_part = copy(takes_part),
                              .in_domain = copy(in_domain),
                              .tensor_groups = copy(tensor_groups),
                              .fold_count = static_cast<std::uint32_t>(folds.size()),
                              .domain_count = domain_count};
  const std::vector<std::uint64_t> arguments{
      reinterpret_cast<std::uintptr_t>(copy(std::vector{args})),
      reinterpret_cast<std::uintptr_t>(copy(std::vector{stop}))};
  // Fewer warps than runs and fewer rows than folds: both go round.
  executor_->launch(kernel, {3, 2, 1}, {2 * TALWEG_GPU_WARP, 1, 1}, arguments);
}

void FoldDevice::run(const RunTable& table, std::vector<talweg_gpu_fold> folds,
                     const std::string& kernel) {
  for (talweg_gpu_fold& fold : folds) fold.scratch = doubles(table.table.scratch);
  for (std::size_t level = 0; level < table.levels.size(); ++level)
    if (!table.levels[level].empty())
      launch(table.levels[level], folds, level == 0 ? kernel : "talweg_gpu_fold_runs");
}

void FoldDevice::run(const ColumnTable& table, std::vector<talweg_gpu_fold> folds) {
  for (talweg_gpu_fold& fold : folds) fold.scratch = doubles(table.table.scratch);
  for (const auto& runs : table.levels)
    if (!runs.empty()) launch(runs, folds, "talweg_gpu_fold_columns");
}

}  // namespace talweg::gpu
