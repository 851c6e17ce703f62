// The table of platforms; see platform.h.
#include "compiler/standalone/platform.h"

#include <algorithm>
#include <array>

#include "compiler/targets/nvptx.h"
#include "runtime/standalone/embedded.h"

namespace talweg::standalone {

namespace {

std::string_view bytes(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::span<const Platform> platforms() {
  static const std::array<Platform, 3> all{{
      {"x86-64",
       {"x86_64-unknown-linux-gnu", "x86-64-v2", ""},
       {{targets::find_target("x86-64-v4"), 4},
        {targets::find_target("x86-64-v3"), 3},
        {targets::find_target("x86-64-v2"), 2}},
       Binary::SharedObject,
       "elf_x86_64",
       "x86_64|AMD64|amd64",
       bytes(talweg_runtime_x86_64, talweg_runtime_x86_64_end),
       bytes(talweg_cuda_runtime_x86_64, talweg_cuda_runtime_x86_64_end),
       bytes(talweg_pool_x86_64, talweg_pool_x86_64_end)},
      {"aarch64",
       {"aarch64-unknown-linux-gnu", "generic", ""},
       {{targets::find_target("aarch64"), 1}},
       Binary::SharedObject,
       "aarch64linux",
       "aarch64|arm64|ARM64",
       bytes(talweg_runtime_aarch64, talweg_runtime_aarch64_end),
       bytes(talweg_cuda_runtime_aarch64, talweg_cuda_runtime_aarch64_end),
       bytes(talweg_pool_aarch64, talweg_pool_aarch64_end)},
      // Emscripten calls its processor x86.
      {"wasm32",
       {"wasm32-unknown-unknown", "generic", "+simd128"},
       {{targets::find_target("wasm32"), 1}},
       Binary::WasmModule,
       "",
       "wasm32|^x86$",
       bytes(talweg_runtime_wasm32, talweg_runtime_wasm32_end),
       "",
       ""},
  }};
  return all;
}

const Platform& host_platform() {
#if defined(__aarch64__)
  return *find_platform("aarch64");
#else
  return *find_platform("x86-64");
#endif
}

const Platform* find_platform(std::string_view name) {
  const auto found = std::ranges::find(platforms(), name, &Platform::name);
  return found == platforms().end() ? nullptr : &*found;
}

std::span<const GpuFamily> gpu_families() {
  static const std::vector<GpuFamily> all = [] {
    const auto targets = targets::nvptx_targets();
    std::vector<GpuFamily> families = {{"nvptx", {targets.begin(), targets.end()}}};
    for (const targets::Target* target : targets) families.push_back({target->name(), {target}});
    return families;
  }();
  return all;
}

const GpuFamily* find_gpu_family(std::string_view name) {
  const auto found = std::ranges::find(gpu_families(), name, &GpuFamily::name);
  return found == gpu_families().end() ? nullptr : &*found;
}

}  // namespace talweg::standalone
