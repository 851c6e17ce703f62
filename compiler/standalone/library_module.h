// All code of a library in one module, so that it becomes one object in which nothing is visible
// but the documented names: several libraries, also of different releases, live in one program.
#pragma once

#include <string>
#include <vector>

#include "compiler/standalone/library_rule.h"
#include "compiler/standalone/platform.h"
#include "compiler/targets/target.h"

namespace talweg::standalone {

struct Library {
  std::string prefix;   // of the names that its rules share: "adamw"
  std::string release;  // of talweg
  std::vector<LibraryRule> rules;
};

/// Whether its elements are float32; else float64. The same for all rules.
inline bool is_float32(const Library& library) {
  return library.rules.front().plan->compute == types::ComputeType::F32;
}

/// Whether optimizers on NVIDIA's GPUs are in it.
inline bool has_cuda(const Library& library) { return !library.rules.front().gpu_codes.empty(); }

/// Names of the library's functions: what is not here is not visible.
std::vector<std::string> exported_names(const Library& library, const Platform& platform);

/// The object (or assembly) of a library for one platform.
std::string generate_library(const Library& library, const Platform& platform,
                             targets::CodeKind kind);
/// The object of its pool of threads, for a platform that has them.
std::string generate_pool(const Library& library, const Platform& platform);
/// The library's code in LLVM's language, before code generation.
std::string generate_library_text(const Library& library, const Platform& platform);

}  // namespace talweg::standalone
