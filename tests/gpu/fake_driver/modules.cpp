// Code and launches.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tests/gpu/fake_driver/driver.h"
#include "tests/gpu/fake_driver/ptx_text.h"

namespace fake_cuda {

namespace {

constexpr int kMostThreads = 1024, kThreadsAtOnce = 2048, kMostBlocksAtOnce = 32;
constexpr int kSharedBytes = 227 << 10;
constexpr int kRegisters = 32;  // of any kernel

/// The newest PTX that a driver knows: 83 is 8.3. CUDA 11.0 has 7.0, 12.0 has 8.0, 13.0 has 9.0,
/// and each release between them adds one, but 12.6, which has that of 12.5.
int newest_ptx(int version) {
  const int major = version / 1000, minor = version % 1000 / 10;
  if (major <= 11) return 70 + minor;
  if (major == 12) return 80 + (minor > 5 ? minor - 1 : minor);
  return 90 + minor;
}

/// Where the caller wants the log of the compiler.
struct Log {
  char* text = nullptr;
  std::size_t bytes = 0;

  void write(const std::string& line) const {
    if (text == nullptr || bytes == 0) return;
    const std::size_t copied = std::min(line.size(), bytes - 1);
    std::memcpy(text, line.data(), copied);
    text[copied] = 0;
  }
};

Log find_log(unsigned count, const int* options, void** values) {
  Log log;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == TALWEG_CUDA_JIT_ERROR_LOG) log.text = static_cast<char*>(values[i]);
    if (options[i] == TALWEG_CUDA_JIT_ERROR_LOG_BYTES) log.bytes = number_of(values[i]);
  }
  return log;
}

Result compile(Driver& driver, const Context& context, const char* ptx, const Log& log,
               Module& module) {
  const PtxText text = read_ptx_text(ptx);
  Device& device = driver.device_of(context);
  if (text.version == 0 || text.architecture == 0) {
    log.write("ptxas application ptx input, line 1; fatal   : Missing .version directive\n");
    return kInvalidPtx;
  }
  if (text.version > newest_ptx(driver.version)) {
    log.write(
        fmt::format("ptxas application ptx input, line 1; fatal   : Unsupported .version "
                    "{}.{}; current version is '{}.{}'\n",
                    text.version / 10, text.version % 10, newest_ptx(driver.version) / 10,
                    newest_ptx(driver.version) % 10));
    return kUnsupportedPtxVersion;
  }
  if (text.architecture > 10 * device.major + device.minor) {
    log.write(
        "ptxas fatal   : SM version specified by .target is higher than default SM version "
        "assumed\n");
    return kInvalidPtx;
  }
  if (driver.make_executor == nullptr) return kJitCompilerNotFound;
  try {
    module.executor = driver.make_executor(ptx, device.memory);
  } catch (const talweg::gpu::Fault& fault) {
    log.write(fmt::format("{}\n", fault.what()));
    return kInvalidPtx;
  }
  for (const std::string& kernel : module.executor->kernels()) {
    const auto found = text.kernels.find(kernel);
    module.parameters[kernel] = found == text.kernels.end() ? 0 : found->second;
  }
  return kSuccess;
}

Function* find_function(Driver& driver, talweg_cuda_function handle, Result& why_not) {
  if (driver.current(why_not) == nullptr) return nullptr;
  Function* function = driver.functions.find(handle);
  const Module* module = function == nullptr ? nullptr : driver.modules.find(function->module);
  const bool is_ours = module != nullptr && module->context == driver.current_handle();
  why_not = is_ours ? kSuccess : kInvalidHandle;
  return is_ours ? function : nullptr;
}

std::string name_of(talweg_cuda_function handle) {
  Driver& driver = Driver::get();
  const std::lock_guard lock(driver.mutex);
  const Function* function = driver.functions.find(handle);
  return function == nullptr ? "?" : function->name;
}

bool is_launchable(talweg::gpu::Dim grid, talweg::gpu::Dim block) {
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && block.x > 0 && block.y > 0 && block.z > 0 &&
         grid.x <= INT32_MAX && grid.y <= 65535 && grid.z <= 65535 &&
         std::uint64_t{block.x} * block.y * block.z <= kMostThreads && block.x <= kMostThreads &&
         block.y <= kMostThreads && block.z <= 64;
}

Result launch(Driver& driver, talweg_cuda_function handle, talweg::gpu::Dim grid,
              talweg::gpu::Dim block, unsigned shared_bytes, talweg_cuda_stream stream_handle,
              void** parameters, void** extra) {
  Result why_not = kSuccess;
  const Function* function = find_function(driver, handle, why_not);
  if (function == nullptr) return why_not;
  Stream* stream = driver.stream(stream_handle, why_not);
  if (stream == nullptr) return why_not;
  if (!is_launchable(grid, block)) return kInvalidValue;
  if (shared_bytes > static_cast<unsigned>(function->dynamic_shared_bytes)) return kInvalidValue;
  if (shared_bytes != 0 || extra != nullptr) return kNotSupported;
  const int count = driver.modules.find(function->module)->parameters[function->name];
  if (count > 0 && parameters == nullptr) return kInvalidValue;
  std::vector<std::uint64_t> arguments(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < arguments.size(); ++i)
    std::memcpy(&arguments[i], parameters[i], sizeof arguments[i]);
  return driver.enqueue(
      *stream, [&driver, module = function->module, name = function->name, grid, block, arguments] {
        const Module* found = driver.modules.find(module);
        if (found == nullptr)
          throw talweg::gpu::Fault("kernel " + name + " ran after its module was unloaded");
        found->executor->launch(name, grid, block, arguments);
      });
}

}  // namespace

}  // namespace fake_cuda

using namespace fake_cuda;

extern "C" {

Result cuModuleLoadDataEx(talweg_cuda_module* module, const void* image, unsigned count,
                          int* options, void** values) {
  return call("cuModuleLoadDataEx", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Context* context = driver.current(why_not);
    if (context == nullptr) return why_not;
    if (const Result refused = driver.forbidden_in_capture(); refused != kSuccess) return refused;
    if (image == nullptr) return kInvalidValue;
    Module made;
    made.context = driver.current_handle();
    const Result result = compile(driver, *context, static_cast<const char*>(image),
                                  find_log(count, options, values), made);
    if (result != kSuccess) return result;
    const std::uintptr_t handle = driver.modules.add();
    *driver.modules.find(handle) = std::move(made);
    *module = handle_as<talweg_cuda_module>(handle);
    return kSuccess;
  });
}

Result cuModuleUnload(talweg_cuda_module handle) {
  return call("cuModuleUnload", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    if (driver.current(why_not) == nullptr) return why_not;
    if (const Result refused = driver.forbidden_in_capture(); refused != kSuccess) return refused;
    if (!driver.modules.erase(number_of(handle))) return kInvalidHandle;
    std::erase_if(driver.functions.all(),
                  [&](const auto& entry) { return entry.second.module == number_of(handle); });
    return kSuccess;
  });
}

Result cuModuleGetFunction(talweg_cuda_function* function, talweg_cuda_module handle,
                           const char* name) {
  return call("cuModuleGetFunction", name, [&](Driver& driver) {
    Result why_not = kSuccess;
    if (driver.current(why_not) == nullptr) return why_not;
    // Where modules are loaded lazily, which is the rule, this is what loads a function.
    if (const Result refused = driver.forbidden_in_capture(); refused != kSuccess) return refused;
    const Module* module = driver.modules.find(handle);
    if (module == nullptr || module->context != driver.current_handle()) return kInvalidHandle;
    if (!module->parameters.contains(name)) return kNotFound;
    const std::uintptr_t made = driver.functions.add();
    driver.functions.find(made)->module = number_of(handle);
    driver.functions.find(made)->name = name;
    *function = handle_as<talweg_cuda_function>(made);
    return kSuccess;
  });
}

Result cuFuncGetAttribute(int* value, int attribute, talweg_cuda_function handle) {
  return call("cuFuncGetAttribute", fmt::format("{}", attribute), [&](Driver& driver) -> Result {
    Result why_not = kSuccess;
    const Function* function = find_function(driver, handle, why_not);
    if (function == nullptr) return why_not;
    switch (attribute) {
      case TALWEG_CUDA_REGISTERS:
        *value = kRegisters;
        break;
      case TALWEG_CUDA_LOCAL_BYTES:
        *value = 0;
        break;
      case TALWEG_CUDA_SHARED_BYTES:
        *value = 0;
        break;
      case TALWEG_CUDA_MOST_DYNAMIC_SHARED_BYTES:
        *value = function->dynamic_shared_bytes;
        break;
      default:
        return kNotSupported;
    }
    return kSuccess;
  });
}

Result cuFuncSetAttribute(talweg_cuda_function handle, int attribute, int value) {
  return call("cuFuncSetAttribute", fmt::format("{}, {}", attribute, value), [&](Driver& driver) {
    Result why_not = kSuccess;
    Function* function = find_function(driver, handle, why_not);
    if (function == nullptr) return why_not;
    if (attribute != TALWEG_CUDA_MOST_DYNAMIC_SHARED_BYTES) return kNotSupported;
    if (value < 0 || value > kSharedBytes) return kInvalidValue;
    function->dynamic_shared_bytes = value;
    return kSuccess;
  });
}

Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, talweg_cuda_function handle,
                                                   int threads, size_t shared_bytes) {
  return call("cuOccupancyMaxActiveBlocksPerMultiprocessor",
              fmt::format("{}, {}", threads, shared_bytes), [&](Driver& driver) {
                Result why_not = kSuccess;
                if (find_function(driver, handle, why_not) == nullptr) return why_not;
                if (threads <= 0 || threads > kMostThreads) return kInvalidValue;
                *blocks = std::min(kThreadsAtOnce / threads, kMostBlocksAtOnce);
                if (shared_bytes > 0)
                  *blocks = std::min(*blocks, static_cast<int>(kSharedBytes / shared_bytes));
                return kSuccess;
              });
}

Result cuLaunchKernel(talweg_cuda_function function, unsigned grid_x, unsigned grid_y,
                      unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                      unsigned shared_bytes, talweg_cuda_stream stream, void** parameters,
                      void** extra) {
  const talweg::gpu::Dim grid{grid_x, grid_y, grid_z}, block{block_x, block_y, block_z};
  return call("cuLaunchKernel",
              fmt::format("{}, {} x {} x {}, {} x {} x {}", name_of(function), grid.x, grid.y,
                          grid.z, block.x, block.y, block.z),
              [&](Driver& driver) {
                return launch(driver, function, grid, block, shared_bytes, stream, parameters,
                              extra);
              });
}

}  // extern "C"
