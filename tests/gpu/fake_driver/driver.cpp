// What a test says to the driver, and what the driver notes of every call.
#include "tests/gpu/fake_driver/driver.h"

#include <fmt/format.h>

#include <cstdlib>

#include "tests/gpu/fake_driver/default_executor.h"

namespace fake_cuda {

namespace {

int number_from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == 0 ? otherwise : std::atoi(text);
}

/// FUNCTION:N:RESULT
PlannedFailure failure_from_environment() {
  PlannedFailure planned;
  const char* variable = std::getenv("FAKE_CUDA_FAIL");
  const std::string text = variable == nullptr ? "" : variable;
  const std::size_t first = text.find(':'), last = text.rfind(':');
  if (first == std::string::npos || first == last) return planned;
  planned.function = text.substr(0, first);
  planned.n = std::atoi(text.c_str() + first + 1);
  planned.result = std::atoi(text.c_str() + last + 1);
  return planned;
}

}  // namespace

Driver& Driver::get() {
  // Never destroyed: the driver's threads and callers may outlive what ends a process.
  static Driver& driver = *new Driver;
  return driver;
}

Driver::Driver() : make_executor(default_executor()) {
  reset(number_from_environment("FAKE_CUDA_DEVICES", 1));
  version = number_from_environment("FAKE_CUDA_VERSION", version);
  const int capability = number_from_environment("FAKE_CUDA_CAPABILITY", 90);
  for (const auto& device : devices) {
    device->major = capability / 10;
    device->minor = capability % 10;
  }
  planned = failure_from_environment();
}

void Driver::reset(int device_count) {
  graphs = {};
  graph_execs = {};
  functions = {};
  modules = {};
  events = {};
  streams = {};
  contexts = {};
  pinned.clear();
  devices.clear();
  for (int i = 0; i < device_count; ++i) {
    devices.push_back(std::make_unique<Device>());
    devices.back()->name = fmt::format("Pretended GPU {}", i);
    devices.back()->memory_bytes = std::size_t{80} << 30;
  }
  context_stack().clear();
  version = 12040;
  is_delayed = true;
  log.clear();
  planned = {};
  fault.clear();
}

Result Driver::begin(const std::string& name, const std::string& arguments) {
  log.push_back(fmt::format("{}({})", name, arguments));
  if (planned.n > 0 && (planned.function.empty() || planned.function == name) && --planned.n == 0)
    return planned.result;
  const bool needs_init = name != "cuInit" && name != "cuDriverGetVersion";
  return needs_init && !is_initialized ? kNotInitialized : kSuccess;
}

std::vector<std::uintptr_t>& context_stack() {
  thread_local std::vector<std::uintptr_t> stack;
  return stack;
}

}  // namespace fake_cuda

using fake_cuda::Driver;

void fake_cuda_set_executor(talweg::gpu::MakeExecutor make) {
  const std::lock_guard lock(Driver::get().mutex);
  Driver::get().make_executor = make;
}

extern "C" {

void fake_cuda_reset(int devices) {
  const std::lock_guard lock(Driver::get().mutex);
  Driver::get().reset(devices);
}

void fake_cuda_set_device(int device, const char* name, int major, int minor, int multiprocessors,
                          size_t memory_bytes) {
  const std::lock_guard lock(Driver::get().mutex);
  fake_cuda::Device& changed = *Driver::get().devices.at(static_cast<std::size_t>(device));
  changed.name = name;
  changed.major = major;
  changed.minor = minor;
  changed.multiprocessors = multiprocessors;
  changed.memory_bytes = memory_bytes;
}

void fake_cuda_set_version(int version) {
  const std::lock_guard lock(Driver::get().mutex);
  Driver::get().version = version;
}

void fake_cuda_set_delay(int is_delayed) {
  const std::lock_guard lock(Driver::get().mutex);
  Driver::get().is_delayed = is_delayed != 0;
}

void fake_cuda_fail(const char* function, int n, int result) {
  const std::lock_guard lock(Driver::get().mutex);
  Driver::get().planned = {function == nullptr ? "" : function, n, result};
}

int fake_cuda_failure_is_due(void) {
  const std::lock_guard lock(Driver::get().mutex);
  return Driver::get().planned.n > 0;
}

size_t fake_cuda_log_lines(void) {
  const std::lock_guard lock(Driver::get().mutex);
  return Driver::get().log.size();
}

const char* fake_cuda_log_line(size_t line) {
  const std::lock_guard lock(Driver::get().mutex);
  return Driver::get().log.at(line).c_str();
}

size_t fake_cuda_count(const char* what) {
  const std::lock_guard lock(Driver::get().mutex);
  Driver& driver = Driver::get();
  const std::string_view name = what;
  std::size_t count = 0;
  if (name == "pinned") return driver.pinned.size();
  if (name == "modules") return driver.modules.all().size();
  if (name == "streams") return driver.streams.all().size();
  if (name == "events") return driver.events.all().size();
  if (name == "work") return driver.waiting();
  for (const auto& device : driver.devices) {
    if (name == "allocations") count += device->blocks.size();
    if (name == "bytes") count += device->used_bytes;
    if (name == "contexts") count += static_cast<std::size_t>(device->retained);
  }
  return count;
}

const char* fake_cuda_fault(void) { return Driver::get().fault.c_str(); }

}  // extern "C"
