#include "compiler/driver/code_cache.h"

#include <fmt/format.h>

#include <utility>

#include "compiler/driver/build_id.h"
#include "compiler/ir/text.h"

namespace talweg::driver {

std::optional<ObjectCache> open_cache(const CompileOptions& options) {
  if (!options.use_cache) return {};
  auto folder = cache_folder(options.cache_dir);
  if (!folder) return {};
  return ObjectCache(std::move(*folder));
}

std::string cache_key(const plan::Plan& plan, const targets::Target& target) {
  const std::string build = build_id();
  if (build.empty()) return {};
  return fmt::format("talweg build {}\nLLVM {}\nISA {}\n{}\n{}", build,
                     targets::generator_version(), target.name(), ir::print(plan.graph),
                     plan::print(plan));
}

}  // namespace talweg::driver
