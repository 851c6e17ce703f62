// Start, devices, contexts.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tests/gpu/fake_driver/driver.h"

namespace fake_cuda {

std::uintptr_t Driver::current_handle() {
  return context_stack().empty() ? 0 : context_stack().back();
}

Context* Driver::current(Result& why_not) {
  const std::uintptr_t handle = current_handle();
  why_not = kInvalidContext;
  if (handle == 0) return nullptr;
  Context* context = contexts.find(handle);
  why_not = context == nullptr ? kContextIsDestroyed : context->fault;
  return why_not == kSuccess ? context : nullptr;
}

namespace {

Device* find_device(Driver& driver, talweg_cuda_device device) {
  const bool is_one = device >= 0 && static_cast<std::size_t>(device) < driver.devices.size();
  return is_one ? driver.devices[static_cast<std::size_t>(device)].get() : nullptr;
}

/// With the last that retains it a context ends, and all in it.
void destroy(Driver& driver, Device& device) {
  driver.modules.erase_of_context(device.context);
  std::erase_if(driver.functions.all(), [&](const auto& entry) {
    return driver.modules.find(entry.second.module) == nullptr;
  });
  driver.events.erase_of_context(device.context);
  driver.streams.erase_of_context(device.context);
  driver.graphs.erase_of_context(device.context);
  driver.graph_execs.erase_of_context(device.context);
  driver.contexts.erase(device.context);
  for (const auto& [start, bytes] : device.blocks)
    device.memory.free(reinterpret_cast<void*>(start));
  device.blocks.clear();
  device.used_bytes = 0;
  device.context = 0;
}

}  // namespace

}  // namespace fake_cuda

using namespace fake_cuda;

extern "C" {

Result cuInit(unsigned flags) {
  return call("cuInit", fmt::format("{}", flags), [&](Driver& driver) -> Result {
    if (flags != 0) return kInvalidValue;
    if (driver.devices.empty()) return kNoDevice;
    driver.is_initialized = true;
    return kSuccess;
  });
}

Result cuDriverGetVersion(int* version) {
  return call("cuDriverGetVersion", "", [&](Driver& driver) {
    *version = driver.version;
    return kSuccess;
  });
}

Result cuDeviceGetCount(int* count) {
  return call("cuDeviceGetCount", "", [&](Driver& driver) {
    *count = static_cast<int>(driver.devices.size());
    return kSuccess;
  });
}

Result cuDeviceGet(talweg_cuda_device* device, int ordinal) {
  return call("cuDeviceGet", fmt::format("{}", ordinal), [&](Driver& driver) {
    if (find_device(driver, ordinal) == nullptr) return kInvalidDevice;
    *device = ordinal;
    return kSuccess;
  });
}

Result cuDeviceGetName(char* name, int bytes, talweg_cuda_device device) {
  return call("cuDeviceGetName", fmt::format("{}", device), [&](Driver& driver) {
    const Device* found = find_device(driver, device);
    if (found == nullptr) return kInvalidDevice;
    if (name == nullptr || bytes <= 0) return kInvalidValue;
    const std::size_t copied = std::min(found->name.size(), static_cast<std::size_t>(bytes) - 1);
    std::memcpy(name, found->name.data(), copied);
    name[copied] = 0;
    return kSuccess;
  });
}

Result cuDeviceGetUuid_v2(talweg_cuda_uuid* uuid, talweg_cuda_device device) {
  return call("cuDeviceGetUuid_v2", fmt::format("{}", device), [&](Driver& driver) {
    if (find_device(driver, device) == nullptr) return kInvalidDevice;
    for (int i = 0; i < 16; ++i) uuid->bytes[i] = static_cast<char>(0xA0 + i);
    uuid->bytes[0] = static_cast<char>(device);
    return kSuccess;
  });
}

Result cuDeviceTotalMem_v2(size_t* bytes, talweg_cuda_device device) {
  return call("cuDeviceTotalMem_v2", fmt::format("{}", device), [&](Driver& driver) {
    const Device* found = find_device(driver, device);
    if (found == nullptr) return kInvalidDevice;
    *bytes = found->memory_bytes;
    return kSuccess;
  });
}

Result cuDeviceGetAttribute(int* value, int attribute, talweg_cuda_device device) {
  return call("cuDeviceGetAttribute", fmt::format("{}, {}", attribute, device),
              [&](Driver& driver) -> Result {
                const Device* found = find_device(driver, device);
                if (found == nullptr) return kInvalidDevice;
                switch (attribute) {
                  case TALWEG_CUDA_CAPABILITY_MAJOR:
                    *value = found->major;
                    break;
                  case TALWEG_CUDA_CAPABILITY_MINOR:
                    *value = found->minor;
                    break;
                  case TALWEG_CUDA_MULTIPROCESSORS:
                    *value = found->multiprocessors;
                    break;
                  default:
                    return kInvalidValue;
                }
                return kSuccess;
              });
}

Result cuDevicePrimaryCtxRetain(talweg_cuda_context* context, talweg_cuda_device device) {
  return call("cuDevicePrimaryCtxRetain", fmt::format("{}", device), [&](Driver& driver) {
    Device* found = find_device(driver, device);
    if (found == nullptr) return kInvalidDevice;
    if (found->retained++ == 0) {
      found->context = driver.contexts.add();
      Context& made = *driver.contexts.find(found->context);
      made.device = device;
      made.default_stream.context = found->context;
    }
    *context = handle_as<talweg_cuda_context>(found->context);
    return kSuccess;
  });
}

Result cuDevicePrimaryCtxRelease_v2(talweg_cuda_device device) {
  return call("cuDevicePrimaryCtxRelease_v2", fmt::format("{}", device), [&](Driver& driver) {
    Device* found = find_device(driver, device);
    if (found == nullptr) return kInvalidDevice;
    if (found->retained == 0) return kInvalidContext;
    if (--found->retained == 0) {
      driver.run_all(found->context);
      destroy(driver, *found);
    }
    return kSuccess;
  });
}

Result cuCtxGetCurrent(talweg_cuda_context* context) {
  return call("cuCtxGetCurrent", "", [&](Driver& driver) {
    *context = handle_as<talweg_cuda_context>(driver.current_handle());
    return kSuccess;
  });
}

Result cuCtxSetCurrent(talweg_cuda_context context) {
  return call("cuCtxSetCurrent", "", [&](Driver& driver) {
    if (context != nullptr && driver.contexts.find(context) == nullptr) return kInvalidContext;
    if (!context_stack().empty()) context_stack().pop_back();
    if (context != nullptr) context_stack().push_back(number_of(context));
    return kSuccess;
  });
}

Result cuCtxPushCurrent_v2(talweg_cuda_context context) {
  return call("cuCtxPushCurrent_v2", "", [&](Driver& driver) {
    if (driver.contexts.find(context) == nullptr) return kInvalidContext;
    context_stack().push_back(number_of(context));
    return kSuccess;
  });
}

Result cuCtxPopCurrent_v2(talweg_cuda_context* context) {
  return call("cuCtxPopCurrent_v2", "", [&](Driver& driver) {
    if (context_stack().empty()) return kInvalidContext;
    if (context != nullptr) *context = handle_as<talweg_cuda_context>(driver.current_handle());
    context_stack().pop_back();
    return kSuccess;
  });
}

Result cuCtxGetDevice(talweg_cuda_device* device) {
  return call("cuCtxGetDevice", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Context* context = driver.current(why_not);
    if (context != nullptr) *device = context->device;
    return why_not;
  });
}

Result cuCtxSynchronize(void) {
  return call("cuCtxSynchronize", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Context* context = driver.current(why_not);
    if (context == nullptr) return why_not;
    if (const Result refused = driver.forbidden_in_capture(); refused != kSuccess) return refused;
    driver.run_all(driver.current_handle());
    return context->fault;
  });
}

}  // extern "C"
