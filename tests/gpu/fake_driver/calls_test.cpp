// Every call of runtime/device/cuda_calls.h, where it succeeds.
#include <thread>

#include "tests/gpu/fake_driver/session.h"

using namespace fake_cuda_test;

TEST_CASE("devices are counted and described") {
  const Session session(3);
  fake_cuda_set_device(2, "Pretended GPU with another name", 10, 0, 148, std::size_t{180} << 30);
  std::int32_t count = 0, version = 0;
  CHECK(talweg_cuda_device_count(&count, nullptr) == TALWEG_CUDA_OK);
  CHECK(count == 3);
  fake_cuda_set_version(13010);
  CHECK(talweg_cuda_driver_version(&version, nullptr) == TALWEG_CUDA_OK);
  CHECK(version == 13010);
  talweg_cuda_facts facts;
  REQUIRE(talweg_cuda_describe(2, &facts, nullptr) == TALWEG_CUDA_OK);
  CHECK(std::string(facts.name) == "Pretended GPU with another name");
  CHECK(facts.capability_major == 10);
  CHECK(facts.capability_minor == 0);
  CHECK(facts.multiprocessors == 148);
  CHECK(facts.memory_bytes == std::uint64_t{180} << 30);
  CHECK(std::string(facts.uuid) == "02a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
}

TEST_CASE("the caller's context is current again after leaving") {
  const Session session(2);
  talweg_cuda_context other = nullptr, current = nullptr;
  std::int32_t device = -1;
  REQUIRE(talweg_cuda_retain_context(1, &other, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(other != session.context);
  CHECK(fake_cuda_count("contexts") == 2);

  REQUIRE(talweg_cuda_enter(other, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_current_context(&current, nullptr) == TALWEG_CUDA_OK);
  CHECK(current == other);
  CHECK(talweg_cuda_current_device(&device, nullptr) == TALWEG_CUDA_OK);
  CHECK(device == 1);
  REQUIRE(talweg_cuda_leave(other, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_current_context(&current, nullptr) == TALWEG_CUDA_OK);
  CHECK(current == session.context);

  CHECK(talweg_cuda_release_context(1, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("contexts") == 1);
}

TEST_CASE("a thread without a context has none after leaving") {
  const Session session;
  std::thread([&] {
    talweg_cuda_context current = session.context;
    CHECK(talweg_cuda_current_context(&current, nullptr) == TALWEG_CUDA_OK);
    CHECK(current == nullptr);
    CHECK(talweg_cuda_enter(session.context, nullptr) == TALWEG_CUDA_OK);
    CHECK(talweg_cuda_leave(session.context, nullptr) == TALWEG_CUDA_OK);
    CHECK(talweg_cuda_current_context(&current, nullptr) == TALWEG_CUDA_OK);
    CHECK(current == nullptr);
  }).join();
}

TEST_CASE("leaving another context than was entered is noticed") {
  const Session session(2);
  talweg_cuda_context other = nullptr;
  talweg_cuda_error error{};
  REQUIRE(talweg_cuda_retain_context(1, &other, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_enter(other, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(cuCtxSetCurrent(session.context) == 0);
  CHECK(talweg_cuda_leave(other, &error) == TALWEG_CUDA_WRONG_CONTEXT);
  CHECK(std::string(error.message) ==
        "cuCtxPopCurrent_v2: another context than the one that was pushed");
}

TEST_CASE("memory comes from the current context's device") {
  Session session(2);
  fake_cuda_set_device(0, "Small GPU", 8, 0, 108, 1 << 20);
  const talweg_cuda_address address = session.allocate(1000);
  std::uint64_t free_bytes = 0, all_bytes = 0;
  CHECK(talweg_cuda_memory(&free_bytes, &all_bytes, nullptr) == TALWEG_CUDA_OK);
  CHECK(all_bytes == 1 << 20);
  CHECK(free_bytes == (1 << 20) - 1000);
  CHECK(fake_cuda_count("allocations") == 1);
  CHECK(fake_cuda_count("bytes") == 1000);
  CHECK(talweg_cuda_free(address, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("allocations") == 0);
}

TEST_CASE("whose memory an address is") {
  Session session(2);
  talweg_cuda_context other = nullptr;
  REQUIRE(talweg_cuda_retain_context(1, &other, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_enter(other, nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_address on_second = session.allocate(64);
  REQUIRE(talweg_cuda_leave(other, nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_address on_first = session.allocate(64);
  void* pinned = nullptr;
  REQUIRE(talweg_cuda_allocate_pinned(&pinned, 64, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("pinned") == 1);
  std::int32_t of_host = 0;
  const auto device_of = [](talweg_cuda_address address) {
    std::int32_t device = 99;
    CHECK(talweg_cuda_device_of(address, &device, nullptr) == TALWEG_CUDA_OK);
    return device;
  };
  CHECK(device_of(on_first) == 0);
  CHECK(device_of(on_first + 63) == 0);
  CHECK(device_of(on_second) == 1);
  CHECK(device_of(reinterpret_cast<talweg_cuda_address>(&of_host)) == -1);
  CHECK(device_of(reinterpret_cast<talweg_cuda_address>(pinned)) == -1);
  CHECK(talweg_cuda_free_pinned(pinned, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("pinned") == 0);
}

TEST_CASE("copies both ways, on the device, and fills") {
  Session session;
  const std::vector<float> values = {1, 2, 3, 4};
  const talweg_cuda_address first = session.upload(values), second = session.allocate(16);
  REQUIRE(talweg_cuda_fill(second, 0, 16, nullptr, nullptr) == TALWEG_CUDA_OK);
  CHECK(session.download(second, 4) == std::vector<float>(4));
  REQUIRE(talweg_cuda_copy_within(second + 4, first, 12, nullptr, nullptr) == TALWEG_CUDA_OK);
  CHECK(session.download(second, 4) == std::vector<float>{0, 1, 2, 3});
  CHECK(session.download(first, 4) == values);
}

TEST_CASE("a kernel is loaded, asked about and run") {
  Session session;
  talweg_cuda_module module = nullptr;
  talweg_cuda_function function = nullptr;
  REQUIRE(talweg_cuda_load(&module, kPtx, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_find(&function, module, "add_one", nullptr) == TALWEG_CUDA_OK);
  talweg_cuda_usage usage{-1, -1, -1};
  CHECK(talweg_cuda_function_usage(function, &usage, nullptr) == TALWEG_CUDA_OK);
  CHECK(usage.registers == 32);
  CHECK(usage.local_bytes == 0);
  CHECK(usage.shared_bytes == 0);
  CHECK(talweg_cuda_allow_shared(function, 100000, nullptr) == TALWEG_CUDA_OK);
  std::int32_t blocks = 0;
  CHECK(talweg_cuda_blocks_at_once(function, 256, 0, &blocks, nullptr) == TALWEG_CUDA_OK);
  CHECK(blocks == 8);
  CHECK(talweg_cuda_blocks_at_once(function, 256, 100000, &blocks, nullptr) == TALWEG_CUDA_OK);
  CHECK(blocks == 2);

  const talweg_cuda_address data = session.upload<float>({1, 2, 3, 4, 5});
  const talweg_cuda_address control = session.upload<Control>({{data, 5}});
  REQUIRE(launch(function, 2, 2, 0, nullptr, control, nullptr) == TALWEG_CUDA_OK);
  CHECK(session.download(data, 5) == std::vector<float>{2, 3, 4, 5, 5});
  CHECK(log_text().find("cuLaunchKernel(add_one, 2 x 1 x 1, 2 x 1 x 1)") != std::string::npos);
  CHECK(talweg_cuda_unload(module, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("modules") == 0);
}

TEST_CASE("streams know their context, and whether they are captured") {
  Session session(2);
  talweg_cuda_context other = nullptr, found = nullptr;
  REQUIRE(talweg_cuda_retain_context(1, &other, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_enter(other, nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_stream stream = session.stream();
  REQUIRE(talweg_cuda_leave(other, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_stream_context(stream, &found, nullptr) == TALWEG_CUDA_OK);
  CHECK(found == other);
  CHECK(talweg_cuda_stream_context(nullptr, &found, nullptr) == TALWEG_CUDA_OK);
  CHECK(found == session.context);
  std::int32_t is_capturing = 1;
  CHECK(talweg_cuda_is_capturing(nullptr, &is_capturing, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_capturing == 0);
  CHECK(talweg_cuda_destroy_stream(stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("streams") == 0);
}

TEST_CASE("events are reached in the order of their stream") {
  Session session;
  const talweg_cuda_address memory = session.allocate(16);
  const talweg_cuda_stream stream = session.stream();
  talweg_cuda_event from = nullptr, to = nullptr;
  REQUIRE(talweg_cuda_create_event(&from, 1, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_create_event(&to, 1, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_record(from, stream, nullptr) == TALWEG_CUDA_OK);
  for (int i = 0; i < 4; ++i)
    REQUIRE(talweg_cuda_fill(memory, 1, 16, stream, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_record(to, stream, nullptr) == TALWEG_CUDA_OK);
  std::int32_t is_reached = 1;
  CHECK(talweg_cuda_is_reached(to, &is_reached, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_reached == 0);
  CHECK(talweg_cuda_wait_for_event(to, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_is_reached(to, &is_reached, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_reached == 1);
  float milliseconds = 0;
  CHECK(talweg_cuda_milliseconds(from, to, &milliseconds, nullptr) == TALWEG_CUDA_OK);
  CHECK(milliseconds == Approx(0.005));
  CHECK(talweg_cuda_destroy_event(from, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_destroy_event(to, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("events") == 0);
}
