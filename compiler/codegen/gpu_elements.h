// The elements of one warp's part of a chunk; see gpu_pass.h.
#pragma once

#include <functional>
#include <vector>

#include "compiler/codegen/pass_tables.h"

namespace talweg::codegen {

/// At most TALWEG_GPU_WARP_ELEMENTS elements of a tensor, in emitted code.
struct GpuPart {
  llvm::Value* tensor = nullptr;         // i64
  llvm::Value* first_element = nullptr;  // i64, from the start of the tensor
  llvm::Value* count = nullptr;          // i32; may be 0
  llvm::Value* lane = nullptr;           // i32, the thread of the warp
  /// Loads where the part's first element is in each stream; null: not used. Loading once more is
  /// cheaper than registers.
  std::function<std::vector<llvm::Value*>()> load_streams;
};

/// Emits the loop of one version and leaves the builder behind it. For each of the version's folds,
/// gives what the segments leave: threads 0 and 16 of the warp have it for the first and the
/// second.
std::vector<llvm::Value*> emit_gpu_elements(llvm::IRBuilder<>& ir, const plan::Plan& plan,
                                            const plan::ElementPass& pass,
                                            const plan::LoopVersion& version, const GpuPart& part,
                                            const ScalarSources& sources, const PassTables& tables,
                                            HelperFunctions& helpers);

}  // namespace talweg::codegen
