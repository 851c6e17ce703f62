// The state of the pretended driver, and what its functions share. Internal to the fake driver.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tests/gpu/fake_driver/fake_cuda.h"

namespace fake_cuda {

using Result = talweg_cuda_result;

// CUresult.
inline constexpr Result kSuccess = 0;
inline constexpr Result kInvalidValue = 1;
inline constexpr Result kOutOfMemory = 2;
inline constexpr Result kNotInitialized = 3;
inline constexpr Result kNoDevice = 100;
inline constexpr Result kInvalidDevice = 101;
inline constexpr Result kInvalidContext = 201;
inline constexpr Result kInvalidPtx = 218;
inline constexpr Result kJitCompilerNotFound = 221;
inline constexpr Result kUnsupportedPtxVersion = 222;
inline constexpr Result kInvalidHandle = 400;
inline constexpr Result kNotFound = 500;
inline constexpr Result kNotReady = 600;
inline constexpr Result kContextIsDestroyed = 709;
inline constexpr Result kLaunchFailed = 719;
inline constexpr Result kNotSupported = 801;
inline constexpr Result kCaptureUnsupported = 900;
inline constexpr Result kCaptureInvalidated = 901;
inline constexpr Result kCaptureUnmatched = 903;
inline constexpr Result kCaptureIsolation = 905;
inline constexpr Result kCaptureImplicit = 906;
inline constexpr Result kCapturedEvent = 907;
inline constexpr Result kCaptureWrongThread = 908;
inline constexpr Result kUnknown = 999;

struct Device {
  std::string name;
  int major = 9, minor = 0, multiprocessors = 132;
  std::size_t memory_bytes = 0, used_bytes = 0;
  talweg::gpu::DeviceMemory memory;
  std::map<talweg_cuda_address, std::size_t> blocks;  // bytes by their starts
  std::uintptr_t context = 0;                         // the primary one; 0: nobody retains it
  int retained = 0;
};

/// Memory of the host, in pages.
struct Pinned {
  explicit Pinned(std::size_t size) : bytes(size), memory(::operator new(size, kPage)) {}
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { ::operator delete(memory, kPage); }

  static constexpr std::align_val_t kPage{4096};
  std::size_t bytes;
  void* memory;
};

/// What an operation in a stream does; graphs run it again and again. Throws Fault.
using Operation = std::function<void()>;

struct Capture {
  int mode;
  std::thread::id thread;
  bool is_invalid = false;
  std::vector<Operation> operations;
};

struct Work {
  std::uint64_t number;  // in the order of calls
  Operation run;
};

struct Stream {
  std::uintptr_t context = 0;
  bool waits_for_default = true;
  std::deque<Work> work;
  std::uint64_t last = 0;  // number of the work put in last
  std::unique_ptr<Capture> capture;
};

struct Context {
  int device = 0;
  Result fault = kSuccess;
  Stream default_stream;
};

struct Event {
  std::uintptr_t context = 0;
  bool measures_time = true;
  bool is_captured = false;
  std::uintptr_t stream = 0;  // of the context where 0
  std::uint64_t number = 0;   // of the work that reaches it; 0: never recorded
  std::uint64_t records = 0;  // how often it was recorded: only the last counts
  std::uint64_t reached = 0;  // how much work had run then; 0: not reached yet
};

struct Module {
  std::uintptr_t context = 0;
  std::unique_ptr<talweg::gpu::Executor> executor;
  std::map<std::string, int> parameters;  // of each kernel: how many
};

struct Function {
  std::uintptr_t module = 0;
  std::string name;
  int dynamic_shared_bytes = 48 << 10;
};

struct Graph {
  std::uintptr_t context = 0;
  std::vector<Operation> operations;
};

inline std::uintptr_t next_handle() {
  static std::uintptr_t last = 0x1000;
  return last += 16;
}

/// Objects by handles, which are never used again.
template <class T>
class Registry {
 public:
  T* find(std::uintptr_t handle) {
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : &found->second;
  }
  template <class Handle>
  T* find(Handle* handle) {
    return find(reinterpret_cast<std::uintptr_t>(handle));
  }
  std::uintptr_t add() {
    const std::uintptr_t handle = next_handle();
    objects_[handle];
    return handle;
  }
  bool erase(std::uintptr_t handle) { return objects_.erase(handle) != 0; }
  std::map<std::uintptr_t, T>& all() { return objects_; }
  void erase_of_context(std::uintptr_t context) {
    std::erase_if(objects_, [&](const auto& entry) { return entry.second.context == context; });
  }

 private:
  std::map<std::uintptr_t, T> objects_;
};

struct PlannedFailure {
  std::string function;  // empty: any
  int n = 0;             // 0: none is due
  Result result = 0;
};

struct Driver {
  static Driver& get();
  void reset(int device_count);

  /// Notes a call; not success: what it has to give at once.
  Result begin(const std::string& name, const std::string& arguments);
  Result fail(const std::exception& fault);

  /// This thread's current context; nothing, and why, where there is none that can be used.
  Context* current(Result& why_not);
  std::uintptr_t current_handle();
  /// A stream of the current context; nothing, and why. What only asks leaves captures as they are
  /// where the default stream may not be used.
  Stream* stream(talweg_cuda_stream handle, Result& why_not, bool uses_it = true);
  Stream* stream_of(std::uintptr_t context, std::uintptr_t handle);
  Device& device_of(const Context& context) { return *devices[context.device]; }

  /// Puts an operation into a stream (or its capture); 0, or the number of the work.
  Result enqueue(Stream& stream, Operation operation, std::uint64_t* number = nullptr);
  /// Runs a stream's work up to a number.
  void run(Stream& stream, std::uint64_t until);
  void run_all(std::uintptr_t context);
  std::uint64_t waiting();
  /// Not success where a capture forbids what is asked; that capture is then invalid.
  Result forbidden_in_capture();

  /// Whether device memory holds all of it.
  bool holds(const Context& context, talweg_cuda_address address, std::size_t bytes);

  bool is_of_some_device(talweg_cuda_address address);
  bool is_pinned(talweg_cuda_address address);

  std::recursive_mutex mutex;
  bool is_initialized = false;
  int version = 12040;
  bool is_delayed = true;
  talweg::gpu::MakeExecutor make_executor = nullptr;
  std::vector<std::unique_ptr<Device>> devices;
  std::map<std::uintptr_t, std::unique_ptr<Pinned>> pinned;  // by their starts
  Registry<Context> contexts;
  Registry<Stream> streams;
  Registry<Event> events;
  Registry<Module> modules;
  Registry<Function> functions;
  Registry<Graph> graphs, graph_execs;
  std::uint64_t next_number = 0, work_done = 0;
  std::vector<std::string> log;
  PlannedFailure planned;
  std::string fault;

 private:
  Driver();
};

/// The body of every function of the driver.
template <class Body>
Result call(const char* name, const std::string& arguments, Body body) {
  Driver& driver = Driver::get();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = driver.begin(name, arguments); result != kSuccess) return result;
  try {
    return body(driver);
  } catch (const std::bad_alloc&) {
    return kOutOfMemory;
  } catch (const std::exception& error) {
    driver.fault = error.what();
    return kUnknown;
  }
}

template <class Handle>
Handle handle_as(std::uintptr_t handle) {
  return reinterpret_cast<Handle>(handle);
}
inline std::uintptr_t number_of(const void* handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}

/// This thread's stack of current contexts.
std::vector<std::uintptr_t>& context_stack();

}  // namespace fake_cuda
