// What is said where a call fails: its name, the driver's name of the error and its description.
#include <functional>
#include <set>

#include "tests/gpu/fake_driver/session.h"

using namespace fake_cuda_test;

namespace {

using Call = std::function<std::int32_t(talweg_cuda_error*)>;

struct Row {
  const char* function;  // the one that fails
  std::string said;      // what its message begins with
  Call call;
};

/// Every function of the driver that can fail by itself, with a call that comes to it.
std::vector<Row> rows(Session& session) {
  static std::int32_t number;
  static std::uint64_t bytes, more_bytes;
  static talweg_cuda_facts facts;
  static talweg_cuda_context context;
  static talweg_cuda_address address;
  static talweg_cuda_module module;
  static talweg_cuda_function found;
  static talweg_cuda_usage usage;
  static talweg_cuda_stream made;
  static talweg_cuda_event event;
  static float milliseconds;
  static void* pinned;
  static char host[8];
  const talweg_cuda_function f = session.add_one();
  const talweg_cuda_address a = session.allocate(8);
  const talweg_cuda_stream s = session.stream();
  REQUIRE(talweg_cuda_create_event(&event, 1, nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_event e = event;
  const talweg_cuda_context c = session.context;
  using E = talweg_cuda_error*;
  return {
      {"cuDriverGetVersion", "cuDriverGetVersion",
       [](E e_) { return talweg_cuda_driver_version(&number, e_); }},
      {"cuDeviceGetCount", "cuDeviceGetCount",
       [](E e_) { return talweg_cuda_device_count(&number, e_); }},
      {"cuDeviceGet", "cuDeviceGet(device 0)",
       [](E e_) { return talweg_cuda_describe(0, &facts, e_); }},
      {"cuDeviceGet", "cuDeviceGet(device 0)",
       [](E e_) { return talweg_cuda_retain_context(0, &context, e_); }},
      {"cuDeviceGet", "cuDeviceGet(device 0)",
       [](E e_) { return talweg_cuda_release_context(0, e_); }},
      {"cuDeviceGetName", "cuDeviceGetName(device 0)",
       [](E e_) { return talweg_cuda_describe(0, &facts, e_); }},
      {"cuDeviceGetUuid_v2", "cuDeviceGetUuid_v2(device 0)",
       [](E e_) { return talweg_cuda_describe(0, &facts, e_); }},
      {"cuDeviceTotalMem_v2", "cuDeviceTotalMem_v2(device 0)",
       [](E e_) { return talweg_cuda_describe(0, &facts, e_); }},
      {"cuDeviceGetAttribute", "cuDeviceGetAttribute(device 0)",
       [](E e_) { return talweg_cuda_describe(0, &facts, e_); }},
      {"cuDevicePrimaryCtxRetain", "cuDevicePrimaryCtxRetain(device 0)",
       [](E e_) { return talweg_cuda_retain_context(0, &context, e_); }},
      {"cuDevicePrimaryCtxRelease_v2", "cuDevicePrimaryCtxRelease_v2(device 0)",
       [](E e_) { return talweg_cuda_release_context(0, e_); }},
      {"cuCtxGetCurrent", "cuCtxGetCurrent",
       [](E e_) { return talweg_cuda_current_context(&context, e_); }},
      {"cuCtxGetDevice", "cuCtxGetDevice",
       [](E e_) { return talweg_cuda_current_device(&number, e_); }},
      {"cuCtxPushCurrent_v2", "cuCtxPushCurrent_v2",
       [c](E e_) { return talweg_cuda_enter(c, e_); }},
      {"cuCtxPopCurrent_v2", "cuCtxPopCurrent_v2", [c](E e_) { return talweg_cuda_leave(c, e_); }},
      {"cuMemGetInfo_v2", "cuMemGetInfo_v2",
       [](E e_) { return talweg_cuda_memory(&bytes, &more_bytes, e_); }},
      {"cuMemAlloc_v2", "cuMemAlloc_v2(4096 bytes)",
       [](E e_) { return talweg_cuda_allocate(&address, 4096, e_); }},
      {"cuMemFree_v2", "cuMemFree_v2", [a](E e_) { return talweg_cuda_free(a, e_); }},
      {"cuMemAllocHost_v2", "cuMemAllocHost_v2(1 byte)",
       [](E e_) { return talweg_cuda_allocate_pinned(&pinned, 1, e_); }},
      {"cuMemFreeHost", "cuMemFreeHost", [](E e_) { return talweg_cuda_free_pinned(host, e_); }},
      {"cuPointerGetAttribute", "cuPointerGetAttribute",
       [a](E e_) { return talweg_cuda_device_of(a, &number, e_); }},
      {"cuMemcpyHtoDAsync_v2", "cuMemcpyHtoDAsync_v2(8 bytes)",
       [=](E e_) { return talweg_cuda_copy_in(a, host, 8, s, e_); }},
      {"cuMemcpyDtoHAsync_v2", "cuMemcpyDtoHAsync_v2(8 bytes)",
       [=](E e_) { return talweg_cuda_copy_out(host, a, 8, s, e_); }},
      {"cuMemcpyDtoDAsync_v2", "cuMemcpyDtoDAsync_v2(8 bytes)",
       [=](E e_) { return talweg_cuda_copy_within(a, a, 8, s, e_); }},
      {"cuMemsetD8Async", "cuMemsetD8Async(8 bytes)",
       [=](E e_) { return talweg_cuda_fill(a, 0, 8, s, e_); }},
      {"cuModuleLoadDataEx", "cuModuleLoadDataEx",
       [](E e_) { return talweg_cuda_load(&module, kPtx, e_); }},
      {"cuModuleUnload", "cuModuleUnload", [](E e_) { return talweg_cuda_unload(nullptr, e_); }},
      {"cuModuleGetFunction", "cuModuleGetFunction(add_one)",
       [](E e_) { return talweg_cuda_find(&found, nullptr, "add_one", e_); }},
      {"cuFuncGetAttribute", "cuFuncGetAttribute",
       [f](E e_) { return talweg_cuda_function_usage(f, &usage, e_); }},
      {"cuFuncSetAttribute", "cuFuncSetAttribute(64 bytes)",
       [f](E e_) { return talweg_cuda_allow_shared(f, 64, e_); }},
      {"cuOccupancyMaxActiveBlocksPerMultiprocessor", "cuOccupancyMaxActiveBlocksPerMultiprocessor",
       [f](E e_) { return talweg_cuda_blocks_at_once(f, 32, 0, &number, e_); }},
      {"cuLaunchKernel", "cuLaunchKernel(4 blocks of 256 threads)",
       [=](E e_) { return launch(f, 4, 256, 0, s, a, e_); }},
      {"cuLaunchKernel", "cuLaunchKernel(1 block of 1 thread)",
       [=](E e_) { return launch(f, 1, 1, 0, s, a, e_); }},
      {"cuCtxSynchronize", "cuCtxSynchronize",
       [](E e_) { return talweg_cuda_wait_for_context(e_); }},
      {"cuMemcpyAsync", "cuMemcpyAsync(8 bytes)",
       [=](E e_) { return talweg_cuda_copy(a, a, 8, s, e_); }},
      {"cuStreamCreate", "cuStreamCreate",
       [](E e_) { return talweg_cuda_create_stream(&made, e_); }},
      {"cuStreamDestroy_v2", "cuStreamDestroy_v2",
       [s](E e_) { return talweg_cuda_destroy_stream(s, e_); }},
      {"cuStreamSynchronize", "cuStreamSynchronize", [s](E e_) { return talweg_cuda_wait(s, e_); }},
      {"cuStreamWaitEvent", "cuStreamWaitEvent",
       [=](E e_) { return talweg_cuda_wait_in_stream(s, e, e_); }},
      {"cuStreamIsCapturing", "cuStreamIsCapturing",
       [s](E e_) { return talweg_cuda_is_capturing(s, &number, e_); }},
      {"cuStreamGetCtx", "cuStreamGetCtx",
       [s](E e_) { return talweg_cuda_stream_context(s, &context, e_); }},
      {"cuEventCreate", "cuEventCreate",
       [](E e_) { return talweg_cuda_create_event(&event, 0, e_); }},
      {"cuEventDestroy_v2", "cuEventDestroy_v2",
       [e](E e_) { return talweg_cuda_destroy_event(e, e_); }},
      {"cuEventRecord", "cuEventRecord", [=](E e_) { return talweg_cuda_record(e, s, e_); }},
      {"cuEventQuery", "cuEventQuery",
       [e](E e_) { return talweg_cuda_is_reached(e, &number, e_); }},
      {"cuEventSynchronize", "cuEventSynchronize",
       [e](E e_) { return talweg_cuda_wait_for_event(e, e_); }},
      {"cuEventElapsedTime", "cuEventElapsedTime",
       [e](E e_) { return talweg_cuda_milliseconds(e, e, &milliseconds, e_); }},
  };
}

}  // namespace

TEST_CASE("every function of the driver that fails is named with its error") {
  Session session;
  const std::vector<Row> all = rows(session);
  const std::size_t streams = fake_cuda_count("streams"), events = fake_cuda_count("events");
  for (const Row& row : all) {
    INFO(row.function);
    talweg_cuda_error error{};
    fake_cuda_fail(row.function, 1, 719);
    CHECK(row.call(&error) == 719);
    CHECK_FALSE(fake_cuda_failure_is_due());
    CHECK(error.code == 719);
    CHECK(error.message == row.said + ": CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure)");
    fake_cuda_fail(row.function, 1, 999);
    CHECK(row.call(nullptr) == 999);
  }
  CHECK(fake_cuda_count("streams") == streams);
  CHECK(fake_cuda_count("events") == events);
  CHECK(fake_cuda_count("work") == 0);
}

TEST_CASE("the list of failures is complete") {
  Session session;
  std::set<std::string> listed;
  for (const Row& row : rows(session)) listed.insert(row.function);
  // cuInit has a test of its own: a process does it once.
  for (const char* name : {
#define NAME(name, parameters) #name,
           TALWEG_CUDA_FUNCTIONS(NAME)
#undef NAME
       }) {
    const std::string text = name;
    if (text == "cuGetErrorName" || text == "cuGetErrorString" || text == "cuInit") continue;
    INFO(text);
    CHECK(listed.count(text) == 1);
  }
}

TEST_CASE("what a failed call was to give is null") {
  Session session;
  talweg_cuda_address address = 1;
  fake_cuda_fail("cuMemAlloc_v2", 1, TALWEG_CUDA_OUT_OF_MEMORY);
  CHECK(talweg_cuda_allocate(&address, 8, nullptr) == TALWEG_CUDA_OUT_OF_MEMORY);
  CHECK(address == 0);
  auto* module = reinterpret_cast<talweg_cuda_module>(8);
  fake_cuda_fail("cuModuleLoadDataEx", 1, 2);
  CHECK(talweg_cuda_load(&module, kPtx, nullptr) == 2);
  CHECK(module == nullptr);
}

TEST_CASE("memory that a device has not") {
  Session session;
  talweg_cuda_error error{};
  talweg_cuda_address address = 0;
  CHECK(talweg_cuda_allocate(&address, 1099511627776, &error) == TALWEG_CUDA_OUT_OF_MEMORY);
  CHECK(std::string(error.message) ==
        "cuMemAlloc_v2(1099511627776 bytes): CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  CHECK(fake_cuda_count("bytes") == 0);
}

TEST_CASE("devices that there are not") {
  const Session session;
  talweg_cuda_error error{};
  talweg_cuda_facts facts;
  CHECK(talweg_cuda_describe(1, &facts, &error) == 101);
  CHECK(std::string(error.message) ==
        "cuDeviceGet(device 1): CUDA_ERROR_INVALID_DEVICE (invalid device ordinal)");
  CHECK(talweg_cuda_describe(-1, &facts, &error) == 101);
  CHECK(std::string(error.message).find("cuDeviceGet(device -1): ") == 0);
}

TEST_CASE("an error that the driver has no name for") {
  Session session;
  talweg_cuda_error error{};
  fake_cuda_fail("cuStreamSynchronize", 1, 12345);
  CHECK(talweg_cuda_wait(nullptr, &error) == 12345);
  CHECK(std::string(error.message) == "cuStreamSynchronize: CUDA error 12345");
}

TEST_CASE("what the driver's compiler says is in the message") {
  Session session;
  talweg_cuda_error error{};
  talweg_cuda_module module = nullptr;
  const std::string ptx = std::string(kPtx) + "nonsense;\n";
  CHECK(talweg_cuda_load(&module, ptx.c_str(), &error) == 218);
  CHECK(std::string(error.message) ==
        "cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX (a PTX JIT compilation failed): ptxas "
        "application ptx input, line 7; error   : unknown `nonsense`; ptxas fatal   : Ptx assembly "
        "aborted due to errors");
  CHECK(fake_cuda_count("modules") == 0);
}

TEST_CASE("a driver that does not know the version of PTX, a device that is too old for it") {
  Session session;
  talweg_cuda_error error{};
  talweg_cuda_module module = nullptr;
  fake_cuda_set_version(11080);
  CHECK(talweg_cuda_load(&module, kPtx, &error) == 222);
  CHECK(std::string(error.message).find("Unsupported .version 8.0; current version is '7.8'") !=
        std::string::npos);
  fake_cuda_set_version(12000);
  fake_cuda_set_device(0, "Old GPU", 7, 5, 40, 1 << 30);
  CHECK(talweg_cuda_load(&module, kPtx, &error) == 218);
  fake_cuda_set_device(0, "Newer GPU", 8, 6, 40, 1 << 30);
  CHECK(talweg_cuda_load(&module, kPtx, &error) == TALWEG_CUDA_OK);
}

TEST_CASE("a kernel that a module has not") {
  Session session;
  talweg_cuda_error error{};
  talweg_cuda_module module = nullptr;
  talweg_cuda_function function = nullptr;
  REQUIRE(talweg_cuda_load(&module, kPtx, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_find(&function, module, "add_two", &error) == 500);
  CHECK(std::string(error.message) ==
        "cuModuleGetFunction(add_two): CUDA_ERROR_NOT_FOUND (named symbol not found)");
}

TEST_CASE("a message that is too long is cut between characters") {
  talweg_cuda_error error{};
  // 2 bytes each; the first character shifts them, so that the end falls within one.
  std::string log = "x";
  for (int i = 0; i < 400; ++i) log += "\xC3\xA9";
  talweg_cuda_fail(&error, 1, "");
  talweg_cuda_put_log(&error, log.c_str());
  const std::string message = error.message;
  CHECK(message.size() == TALWEG_CUDA_MESSAGE_BYTES - 1);
  CHECK(message == log.substr(0, message.size()));
  talweg_cuda_fail(&error, 1, "");
  talweg_cuda_put_log(&error, ("x" + log).c_str());
  CHECK(std::string(error.message).size() == TALWEG_CUDA_MESSAGE_BYTES - 2);
}
