// Captured streams: what is recorded runs when the graph is launched, again and again; what the
// driver forbids meanwhile.
#include <thread>

#include "tests/gpu/fake_driver/session.h"

using namespace fake_cuda_test;

namespace {

struct Captured : Session {
  explicit Captured(int mode = 0) : on(stream()) {
    memory = upload<float>({1, 2, 3});
    REQUIRE(talweg_cuda_load(&loaded, kPtx, nullptr) == TALWEG_CUDA_OK);
    REQUIRE(cuStreamBeginCapture_v2(on, mode) == 0);
  }
  std::int32_t end() { return cuStreamEndCapture(on, &graph); }

  talweg_cuda_stream on;
  talweg_cuda_address memory = 0;
  talweg_cuda_module loaded = nullptr;
  fake_cuda_graph graph = nullptr;
};

}  // namespace

TEST_CASE("a graph replays its work on what memory holds then") {
  Session session;
  const talweg_cuda_function add_one = session.add_one();
  const talweg_cuda_address data = session.upload<float>({1, 2, 3, 4});
  const talweg_cuda_address control = session.upload<Control>({{data, 4}});
  const talweg_cuda_stream stream = session.stream();
  std::vector<float> seen(4, -1);
  fake_cuda_graph graph = nullptr;
  fake_cuda_graph_exec exec = nullptr;
  std::int32_t is_capturing = 0;

  REQUIRE(cuStreamBeginCapture_v2(stream, 0) == 0);
  CHECK(talweg_cuda_is_capturing(stream, &is_capturing, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_capturing == 1);
  REQUIRE(launch(add_one, 1, 32, 0, stream, control, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_copy_out(seen.data(), data, 16, stream, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(cuStreamEndCapture(stream, &graph) == 0);
  CHECK(talweg_cuda_is_capturing(stream, &is_capturing, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_capturing == 0);
  REQUIRE(cuGraphInstantiateWithFlags(&exec, graph, 0) == 0);
  CHECK(cuGraphDestroy(graph) == 0);
  CHECK(session.download(data, 4) == std::vector<float>{1, 2, 3, 4});

  for (int i = 0; i < 3; ++i) REQUIRE(cuGraphLaunch(exec, stream) == 0);
  CHECK(seen == std::vector<float>(4, -1));
  REQUIRE(talweg_cuda_wait(stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(seen == std::vector<float>{4, 5, 6, 7});

  const Control shorter{data, 2};
  REQUIRE(talweg_cuda_copy_in(control, &shorter, sizeof shorter, stream, nullptr) ==
          TALWEG_CUDA_OK);
  REQUIRE(cuGraphLaunch(exec, stream) == 0);
  REQUIRE(talweg_cuda_wait(stream, nullptr) == TALWEG_CUDA_OK);
  CHECK(seen == std::vector<float>{5, 6, 6, 7});
  CHECK(cuGraphExecDestroy(exec) == 0);
  CHECK(cuGraphLaunch(exec, stream) == TALWEG_CUDA_INVALID_VALUE);
}

TEST_CASE("what would end a capture is refused, and the capture is lost") {
  using Call = std::int32_t (*)(Captured&, talweg_cuda_error*);
  static talweg_cuda_address address;
  static talweg_cuda_module module;
  static talweg_cuda_function function;
  static void* pinned;
  const auto call = GENERATE(
      Call([](Captured&, talweg_cuda_error* e) { return talweg_cuda_allocate(&address, 8, e); }),
      Call([](Captured& c, talweg_cuda_error* e) { return talweg_cuda_free(c.memory, e); }),
      Call([](Captured&, talweg_cuda_error* e) {
        return talweg_cuda_allocate_pinned(&pinned, 8, e);
      }),
      Call([](Captured&, talweg_cuda_error* e) { return talweg_cuda_load(&module, kPtx, e); }),
      Call([](Captured& c, talweg_cuda_error* e) {
        return talweg_cuda_find(&function, c.loaded, "add_one", e);
      }),
      Call([](Captured& c, talweg_cuda_error* e) { return talweg_cuda_wait(c.on, e); }),
      Call([](Captured&, talweg_cuda_error* e) { return talweg_cuda_wait(nullptr, e); }));
  Captured captured;
  talweg_cuda_error error{};
  CHECK(call(captured, &error) == 900);
  CHECK(std::string(error.message)
            .find("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED (operation not "
                  "permitted when stream is capturing)") != std::string::npos);
  std::int32_t is_capturing = 0;
  CHECK(talweg_cuda_is_capturing(captured.on, &is_capturing, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_capturing == 1);
  CHECK(talweg_cuda_fill(captured.memory, 0, 4, captured.on, nullptr) == 901);
  CHECK(captured.end() == 901);
  CHECK(captured.graph == nullptr);
  CHECK(talweg_cuda_is_capturing(captured.on, &is_capturing, nullptr) == TALWEG_CUDA_OK);
  CHECK(is_capturing == 0);
  CHECK(fake_cuda_count("allocations") == 1);
}

TEST_CASE("a relaxed capture allows them, one of another thread does too") {
  Captured relaxed(2);
  talweg_cuda_address address = 0;
  CHECK(talweg_cuda_allocate(&address, 8, nullptr) == TALWEG_CUDA_OK);
  CHECK(relaxed.end() == 0);

  Captured of_thread(1);
  std::thread([&] {
    CHECK(talweg_cuda_enter(of_thread.context, nullptr) == TALWEG_CUDA_OK);
    CHECK(talweg_cuda_allocate(&address, 8, nullptr) == TALWEG_CUDA_OK);
    CHECK(talweg_cuda_leave(of_thread.context, nullptr) == TALWEG_CUDA_OK);
  }).join();
  CHECK(talweg_cuda_allocate(&address, 8, nullptr) == 900);
  CHECK(of_thread.end() == 901);
}

TEST_CASE("events in a capture") {
  Captured captured;
  talweg_cuda_event inside = nullptr, outside = nullptr;
  REQUIRE(talweg_cuda_create_event(&inside, 0, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_create_event(&outside, 0, nullptr) == TALWEG_CUDA_OK);
  const talweg_cuda_stream other = captured.stream();
  REQUIRE(talweg_cuda_record(inside, captured.on, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_wait_in_stream(captured.on, inside, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_wait_for_event(inside, nullptr) == 907);
  CHECK(talweg_cuda_wait_in_stream(other, inside, nullptr) == 801);
  REQUIRE(talweg_cuda_record(outside, other, nullptr) == TALWEG_CUDA_OK);
  CHECK(talweg_cuda_wait_in_stream(captured.on, outside, nullptr) == 905);
  CHECK(captured.end() == 901);
}

TEST_CASE("captures that cannot begin or end") {
  Session session;
  const talweg_cuda_stream stream = session.stream();
  fake_cuda_graph graph = nullptr;
  CHECK(cuStreamBeginCapture_v2(nullptr, 0) == 900);
  CHECK(cuStreamEndCapture(stream, &graph) == 903);
  REQUIRE(cuStreamBeginCapture_v2(stream, 0) == 0);
  CHECK(cuStreamBeginCapture_v2(stream, 0) == 900);
  std::thread([&] {
    CHECK(talweg_cuda_enter(session.context, nullptr) == TALWEG_CUDA_OK);
    CHECK(cuStreamEndCapture(stream, &graph) == 908);
    CHECK(talweg_cuda_leave(session.context, nullptr) == TALWEG_CUDA_OK);
  }).join();
  CHECK(cuStreamEndCapture(stream, &graph) == 901);
}

TEST_CASE("the default stream may not wait for a stream that is captured") {
  Session session;
  const talweg_cuda_address memory = session.allocate(8);
  talweg_cuda_stream blocking = nullptr;
  fake_cuda_graph graph = nullptr;
  REQUIRE(cuStreamCreate(&blocking, 0) == 0);
  REQUIRE(cuStreamBeginCapture_v2(blocking, 0) == 0);
  // To ask whether the default stream is captured is no use of it.
  std::int32_t is_capturing = 0;
  CHECK(talweg_cuda_is_capturing(nullptr, &is_capturing, nullptr) == 906);
  CHECK(cuStreamEndCapture(blocking, &graph) == 0);

  REQUIRE(cuStreamBeginCapture_v2(blocking, 0) == 0);
  CHECK(talweg_cuda_fill(memory, 0, 8, nullptr, nullptr) == 906);
  CHECK(cuStreamEndCapture(blocking, &graph) == 901);
}
