// The pretended driver itself: work runs in order and not before something waits for it, and what
// is wrong in it is found.
#include "tests/gpu/fake_driver/session.h"

using namespace fake_cuda_test;

namespace {

/// 4 bytes, each the same.
std::uint32_t word(const Session&, talweg_cuda_address address, talweg_cuda_stream stream) {
  std::uint32_t value = 0;
  REQUIRE(talweg_cuda_copy_out(&value, address, 4, stream, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_wait(stream, nullptr) == TALWEG_CUDA_OK);
  return value;
}

}  // namespace

TEST_CASE("nothing runs before something waits for it") {
  Session session;
  const talweg_cuda_address memory = session.allocate(4);
  const talweg_cuda_stream stream = session.stream();
  std::uint32_t value = 7;
  REQUIRE(talweg_cuda_fill(memory, 1, 4, stream, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_copy_out(&value, memory, 4, stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(value == 7);
  CHECK(fake_cuda_count("work") == 2);
  CHECK(cuStreamQuery(stream) == TALWEG_CUDA_NOT_READY);
  CHECK(cuStreamQuery(stream) == TALWEG_CUDA_NOT_READY);
  CHECK(cuStreamQuery(stream) == 0);
  CHECK(value == 0x01010101);

  fake_cuda_set_delay(0);
  REQUIRE(talweg_cuda_fill(memory, 2, 4, stream, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_copy_out(&value, memory, 4, stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(value == 0x02020202);
}

TEST_CASE("a copy reads the host's memory when it runs") {
  Session session;
  const talweg_cuda_address memory = session.allocate(4);
  std::uint32_t value = 1;
  REQUIRE(talweg_cuda_copy_in(memory, &value, 4, nullptr, nullptr) == TALWEG_CUDA_OK);
  value = 2;
  CHECK(word(session, memory, nullptr) == 2);
}

TEST_CASE("streams that do not wait for each other see no work of each other") {
  Session session;
  const talweg_cuda_address memory = session.allocate(4);
  const talweg_cuda_stream first = session.stream(), second = session.stream();
  REQUIRE(talweg_cuda_fill(memory, 1, 4, first, nullptr) == TALWEG_CUDA_OK);
  CHECK(word(session, memory, second) == 0xCDCDCDCD);
  CHECK(word(session, memory, first) == 0x01010101);
}

TEST_CASE("a stream that waits for an event sees what was before it") {
  Session session;
  const talweg_cuda_address memory = session.allocate(4);
  const talweg_cuda_stream first = session.stream(), second = session.stream();
  talweg_cuda_event event = nullptr;
  REQUIRE(talweg_cuda_create_event(&event, 0, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_wait_in_stream(second, event, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("work") == 0);
  REQUIRE(talweg_cuda_fill(memory, 1, 4, first, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_record(event, first, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_fill(memory, 2, 4, first, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_wait_in_stream(second, event, nullptr) == TALWEG_CUDA_OK);
  CHECK(word(session, memory, second) == 0x01010101);
  CHECK(fake_cuda_count("work") == 1);
  CHECK(word(session, memory, first) == 0x02020202);
}

TEST_CASE("an event that is recorded again counts by its last") {
  Session session;
  const talweg_cuda_stream stream = session.stream();
  talweg_cuda_event event = nullptr;
  std::int32_t is_reached = 0;
  REQUIRE(talweg_cuda_create_event(&event, 0, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_is_reached(event, &is_reached, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_reached == 1);  // never recorded
  REQUIRE(talweg_cuda_record(event, stream, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_record(event, stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(cuStreamQuery(stream) == TALWEG_CUDA_NOT_READY);  // runs the first
  CHECK(talweg_cuda_is_reached(event, &is_reached, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_reached == 0);
  CHECK(talweg_cuda_is_reached(event, &is_reached, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_reached == 1);
}

TEST_CASE("the default stream and those that wait for it keep one order") {
  Session session;
  const talweg_cuda_address memory = session.allocate(4);
  talweg_cuda_stream blocking = nullptr;
  REQUIRE(cuStreamCreate(&blocking, 0) == 0);
  REQUIRE(talweg_cuda_fill(memory, 1, 4, nullptr, nullptr) == TALWEG_CUDA_OK);
  CHECK(word(session, memory, blocking) == 0x01010101);
  REQUIRE(talweg_cuda_fill(memory, 2, 4, blocking, nullptr) == TALWEG_CUDA_OK);
  CHECK(word(session, memory, nullptr) == 0x02020202);
}

TEST_CASE("freeing memory, and waiting for a context, wait for all of its work") {
  Session session;
  const talweg_cuda_address memory = session.allocate(4), other = session.allocate(4);
  const talweg_cuda_stream stream = session.stream();
  REQUIRE(talweg_cuda_fill(memory, 1, 4, stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_free(memory, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("work") == 0);
  REQUIRE(talweg_cuda_fill(other, 1, 4, stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(cuCtxSynchronize() == 0);
  CHECK(fake_cuda_count("work") == 0);
}

TEST_CASE("memory that a call may not use is refused") {
  Session session(2);
  talweg_cuda_context other = nullptr;
  REQUIRE(talweg_cuda_retain_context(1, &other, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_enter(other, nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_address far = session.allocate(16);
  const talweg_cuda_stream far_stream = session.stream();
  REQUIRE(talweg_cuda_leave(other, nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_address near = session.allocate(16);
  CHECK(talweg_cuda_fill(near, 0, 17, nullptr, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(talweg_cuda_fill(near + 1, 0, 16, nullptr, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(talweg_cuda_fill(far, 0, 16, nullptr, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(talweg_cuda_fill(near, 0, 16, far_stream, nullptr) == 400);
  CHECK(talweg_cuda_free(near + 1, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(talweg_cuda_free(near, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_free(near, nullptr) == TALWEG_CUDA_INVALID_VALUE);
}

TEST_CASE("a fault in a kernel stops its context for good") {
  Session session;
  const talweg_cuda_function add_one = session.add_one();
  const talweg_cuda_address data = session.upload<float>({1, 2});
  const talweg_cuda_address control = session.upload<Control>({{data, 3}});
  CHECK(launch(add_one, 1, 32, 0, nullptr, control, nullptr) == TALWEG_CUDA_OK);
  float after = -1;
  CHECK(talweg_cuda_copy_out(&after, data, 4, nullptr, nullptr) == TALWEG_CUDA_OK);
  CHECK(std::string(fake_cuda_fault()).empty());
  talweg_cuda_error error{};
  CHECK(talweg_cuda_wait(nullptr, &error) == 719);
  CHECK(std::string(error.message) ==
        "cuStreamSynchronize: CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure)");
  CHECK(std::string(fake_cuda_fault()) == "add_one: out of bounds");
  CHECK(after == -1);
  talweg_cuda_address address = 0;
  CHECK(talweg_cuda_allocate(&address, 8, nullptr) == 719);
  // The last release ends the context; the next has a fresh one.
  CHECK(talweg_cuda_leave(session.context, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_release_context(0, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_count("allocations") == 0);
  CHECK(fake_cuda_count("modules") == 0);
  CHECK(talweg_cuda_enter(session.context, nullptr) == 201);
}

TEST_CASE("kernels that run after their module is gone are found") {
  Session session;
  talweg_cuda_module module = nullptr;
  talweg_cuda_function function = nullptr;
  REQUIRE(talweg_cuda_load(&module, kPtx, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_find(&function, module, "add_one", nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_address control = session.upload<Control>({{0, 0}});
  REQUIRE(launch(function, 1, 1, 0, nullptr, control, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_unload(module, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_wait(nullptr, nullptr) == 719);
  CHECK(std::string(fake_cuda_fault()) == "kernel add_one ran after its module was unloaded");
}

TEST_CASE("launches that no device takes") {
  Session session;
  const talweg_cuda_function add_one = session.add_one();
  const talweg_cuda_address control = session.upload<Control>({{0, 0}});
  CHECK(launch(add_one, 0, 32, 0, nullptr, control, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(launch(add_one, 1, 0, 0, nullptr, control, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(launch(add_one, 1, 1025, 0, nullptr, control, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(launch(add_one, 1, 1, 64 << 10, nullptr, control, nullptr) == TALWEG_CUDA_INVALID_VALUE);
  CHECK(fake_cuda_count("work") == 0);
}

TEST_CASE("the n-th call fails, whichever it is, and does nothing") {
  Session session;
  const talweg_cuda_address memory = session.allocate(4);
  fake_cuda_fail(nullptr, 3, 2);
  CHECK(talweg_cuda_fill(memory, 1, 4, nullptr, nullptr) == TALWEG_CUDA_OK);
  CHECK(fake_cuda_failure_is_due());
  CHECK(talweg_cuda_wait(nullptr, nullptr) == TALWEG_CUDA_OK);
  talweg_cuda_error error{};
  CHECK(talweg_cuda_fill(memory, 2, 4, nullptr, &error) == 2);
  CHECK(std::string(error.message) ==
        "cuMemsetD8Async(4 bytes): CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  CHECK_FALSE(fake_cuda_failure_is_due());
  CHECK(word(session, memory, nullptr) == 0x01010101);
}

TEST_CASE("calls are logged in their order") {
  Session session;
  const std::string before = log_text();
  const talweg_cuda_address memory = session.allocate(4);
  CHECK(talweg_cuda_fill(memory, 1, 4, nullptr, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_wait(nullptr, nullptr) == TALWEG_CUDA_OK);
  CHECK(log_text() == before +
                          "cuMemAlloc_v2(4)\ncuMemsetD8Async(1, 4)\n"
                          "cuStreamSynchronize(default)\n");
}
