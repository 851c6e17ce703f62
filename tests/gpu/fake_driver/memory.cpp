// Memory of devices, pinned memory of the host, copies.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tests/gpu/fake_driver/driver.h"

namespace fake_cuda {

bool Driver::holds(const Context& context, talweg_cuda_address address, std::size_t bytes) {
  return device_of(context).memory.contains(reinterpret_cast<void*>(address), bytes);
}

bool Driver::is_of_some_device(talweg_cuda_address address) {
  return std::any_of(devices.begin(), devices.end(), [&](const auto& device) {
    return device->memory.contains(reinterpret_cast<void*>(address), 1);
  });
}

bool Driver::is_pinned(talweg_cuda_address address) {
  auto after = pinned.upper_bound(static_cast<std::uintptr_t>(address));
  if (after == pinned.begin()) return false;
  --after;
  return address - after->first < after->second->bytes;
}

namespace {

/// What this machine has to give is less than what a pretended device may say it has.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

std::string amount(std::size_t bytes) { return fmt::format("{}", bytes); }

struct Range {
  talweg_cuda_address address;
  std::size_t bytes;
};

/// Puts an operation on device memory into a stream, and sees that the memory is there now and when
/// it runs.
Result enqueue_on(Driver& driver, talweg_cuda_stream handle, const std::vector<Range>& ranges,
                  const std::string& what, Operation operation) {
  Result why_not = kSuccess;
  Stream* stream = driver.stream(handle, why_not);
  if (stream == nullptr) return why_not;
  const std::uintptr_t owner = stream->context;
  for (const Range& range : ranges)
    if (!driver.holds(*driver.contexts.find(owner), range.address, range.bytes))
      return kInvalidValue;
  return driver.enqueue(*stream, [&driver, owner, ranges, what, operation = std::move(operation)] {
    for (const Range& range : ranges)
      if (!driver.holds(*driver.contexts.find(owner), range.address, range.bytes))
        throw talweg::gpu::Fault(what + " ran after its memory was freed");
    operation();
  });
}

/// The current context for a call that no capture allows.
Context* outside_capture(Driver& driver, Result& why_not) {
  Context* context = driver.current(why_not);
  if (context != nullptr) why_not = driver.forbidden_in_capture();
  return why_not == kSuccess ? context : nullptr;
}

}  // namespace

}  // namespace fake_cuda

using namespace fake_cuda;

extern "C" {

void fake_cuda_admit(int device, void* memory, size_t bytes) {
  Driver& driver = Driver::get();
  const std::lock_guard lock(driver.mutex);
  driver.devices.at(device)->memory.dismiss(memory);
  driver.devices.at(device)->memory.admit(memory, bytes);
}

void fake_cuda_dismiss(int device, void* memory) {
  Driver& driver = Driver::get();
  const std::lock_guard lock(driver.mutex);
  driver.devices.at(device)->memory.dismiss(memory);
}

Result cuMemGetInfo_v2(size_t* free_bytes, size_t* all_bytes) {
  return call("cuMemGetInfo_v2", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Context* context = driver.current(why_not);
    if (context == nullptr) return why_not;
    const Device& device = driver.device_of(*context);
    *free_bytes = device.memory_bytes - device.used_bytes;
    *all_bytes = device.memory_bytes;
    return why_not;
  });
}

Result cuMemAlloc_v2(talweg_cuda_address* address, size_t bytes) {
  return call("cuMemAlloc_v2", amount(bytes), [&](Driver& driver) {
    Result why_not = kSuccess;
    const Context* context = outside_capture(driver, why_not);
    if (context == nullptr) return why_not;
    if (bytes == 0) return kInvalidValue;
    Device& device = driver.device_of(*context);
    if (bytes > device.memory_bytes - device.used_bytes || bytes > kMostAtOnce) return kOutOfMemory;
    *address = reinterpret_cast<talweg_cuda_address>(device.memory.allocate(bytes));
    device.blocks[*address] = bytes;
    device.used_bytes += bytes;
    return kSuccess;
  });
}

Result cuMemFree_v2(talweg_cuda_address address) {
  return call("cuMemFree_v2", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Context* context = outside_capture(driver, why_not);
    if (context == nullptr) return why_not;
    if (address == 0) return kSuccess;
    Device& device = driver.device_of(*context);
    const auto block = device.blocks.find(address);
    if (block == device.blocks.end()) return kInvalidValue;
    driver.run_all(driver.current_handle());
    device.memory.free(reinterpret_cast<void*>(address));
    device.used_bytes -= block->second;
    device.blocks.erase(block);
    return context->fault;
  });
}

Result cuMemAllocHost_v2(void** memory, size_t bytes) {
  return call("cuMemAllocHost_v2", amount(bytes), [&](Driver& driver) {
    Result why_not = kSuccess;
    if (outside_capture(driver, why_not) == nullptr) return why_not;
    if (bytes == 0) return kInvalidValue;
    // In pages, and in every device's reach at the same address.
    auto block = std::make_unique<Pinned>(bytes);
    *memory = block->memory;
    driver.pinned[number_of(*memory)] = std::move(block);
    for (const auto& device : driver.devices) device->memory.admit(*memory, bytes);
    return kSuccess;
  });
}

Result cuMemFreeHost(void* memory) {
  return call("cuMemFreeHost", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Context* context = outside_capture(driver, why_not);
    if (context == nullptr) return why_not;
    driver.run_all(driver.current_handle());
    if (driver.pinned.erase(number_of(memory)) == 0) return kInvalidValue;
    for (const auto& device : driver.devices) device->memory.dismiss(memory);
    return context->fault;
  });
}

Result cuPointerGetAttribute(void* value, int attribute, talweg_cuda_address address) {
  return call("cuPointerGetAttribute", fmt::format("{}", attribute), [&](Driver& driver) -> Result {
    constexpr unsigned kHost = 1;
    const bool is_pinned = driver.is_pinned(address);
    for (std::size_t i = 0; i < driver.devices.size() && !is_pinned; ++i) {
      if (!driver.devices[i]->memory.contains(reinterpret_cast<void*>(address), 1)) continue;
      const unsigned type = TALWEG_CUDA_MEMORY_OF_DEVICE;
      const int ordinal = static_cast<int>(i);
      if (attribute == TALWEG_CUDA_POINTER_MEMORY_TYPE)
        std::memcpy(value, &type, sizeof type);
      else if (attribute == TALWEG_CUDA_POINTER_DEVICE)
        std::memcpy(value, &ordinal, sizeof ordinal);
      else
        return kNotSupported;
      return kSuccess;
    }
    if (!is_pinned) return kInvalidValue;
    if (attribute != TALWEG_CUDA_POINTER_MEMORY_TYPE) return kNotSupported;
    std::memcpy(value, &kHost, sizeof kHost);
    return kSuccess;
  });
}

Result cuMemcpyHtoDAsync_v2(talweg_cuda_address to, const void* from, size_t bytes,
                            talweg_cuda_stream stream) {
  return call("cuMemcpyHtoDAsync_v2", amount(bytes), [&](Driver& driver) {
    return enqueue_on(driver, stream, {{to, bytes}}, "a copy to the device",
                      [=] { std::memcpy(reinterpret_cast<void*>(to), from, bytes); });
  });
}

Result cuMemcpyDtoHAsync_v2(void* to, talweg_cuda_address from, size_t bytes,
                            talweg_cuda_stream stream) {
  return call("cuMemcpyDtoHAsync_v2", amount(bytes), [&](Driver& driver) {
    return enqueue_on(driver, stream, {{from, bytes}}, "a copy from the device",
                      [=] { std::memcpy(to, reinterpret_cast<void*>(from), bytes); });
  });
}

Result cuMemcpyDtoDAsync_v2(talweg_cuda_address to, talweg_cuda_address from, size_t bytes,
                            talweg_cuda_stream stream) {
  return call("cuMemcpyDtoDAsync_v2", amount(bytes), [&](Driver& driver) {
    return enqueue_on(driver, stream, {{to, bytes}, {from, bytes}}, "a copy on the device", [=] {
      std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
    });
  });
}

Result cuMemcpyAsync(talweg_cuda_address to, talweg_cuda_address from, size_t bytes,
                     talweg_cuda_stream stream) {
  return call("cuMemcpyAsync", amount(bytes), [&](Driver& driver) {
    std::vector<Range>
        ranges;  // where the memory of neither is a device's, there is nothing to check
    for (const talweg_cuda_address address : {to, from})
      if (driver.is_of_some_device(address)) ranges.push_back({address, bytes});
    return enqueue_on(driver, stream, ranges, "a copy", [=] {
      std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
    });
  });
}

Result cuMemsetD8Async(talweg_cuda_address to, unsigned char byte, size_t bytes,
                       talweg_cuda_stream stream) {
  return call("cuMemsetD8Async", fmt::format("{}, {}", byte, bytes), [&](Driver& driver) {
    return enqueue_on(driver, stream, {{to, bytes}}, "a fill",
                      [=] { std::memset(reinterpret_cast<void*>(to), byte, bytes); });
  });
}

}  // extern "C"
