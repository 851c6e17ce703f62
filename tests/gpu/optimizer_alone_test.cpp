// Steps that a device goes through without the host: another gradient in their middle, inputs that
// are not given, that are of rows, columns or matrices, or that lie on the device.
#include <catch2/catch.hpp>
#include <functional>

#include "tests/gpu/falling_rule.h"
#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;
constexpr auto kF64 = types::ComputeType::F64;

std::vector<PairTensor> three_tensors() { return {{{7}, 0}, {{3, 5}, 1}, {{40}, 1}}; }
std::vector<PairTensor> three_matrices() { return {{{3, 5}, 0}, {{4, 2}, 1}, {{2, 3, 4}, 1}}; }

/// Reads numbers of all rates, and arrays of all rates that slower than elements.
constexpr const char* kInputs = R"(
rule Inputs {
  require rank >= 2
  input model loss
  input group pace
  input tensor weight
  input matrix factor
  input row left
  input col right
  state group seen
  step {
    seen = 0.5 * seen + loss * pace
    update = pace * (weight * grad + factor * left * right) / (1 + abs(loss) + seen)
  }
}
)";

/// Calls of the driver by which the host waits for the device.
std::vector<std::string> waits_in(const std::function<void()>& body) {
  const std::size_t first = fake_cuda_log_lines();
  body();
  std::vector<std::string> waits;
  for (std::size_t i = first; i < fake_cuda_log_lines(); ++i) {
    const std::string line = fake_cuda_log_line(i);
    if (line.find("Synchronize") != std::string::npos &&
        line.find("cuEventSynchronize") == std::string::npos)  // of a slot that was long read
      waits.push_back(line);
  }
  return waits;
}

void require_done(ModelPair& pair) {
  talweg_error error{};
  const talweg_status status = talweg_gpu_wait(pair.device, nullptr, &error);
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(status == TALWEG_OK);
  pair.require_same();
}

}  // namespace

TEST_CASE("nothing is waited for in steps of any kind") {
  DriverSession session;
  const auto steps = [](ModelPair& pair, int calls) {
    for (int i = 0; i < 2; ++i) pair.step();  // where states begin
    if (talweg_is_waiting(pair.host) != 0) pair.step();
    pair.draw_gradients();
    const auto waits = waits_in([&] {
      for (int i = 0; i < calls; ++i) REQUIRE(pair.step_device() == TALWEG_OK);
    });
    CHECK(waits == std::vector<std::string>{});
    for (int i = 0; i < calls; ++i) REQUIRE(pair.step_host() == TALWEG_OK);
    require_done(pair);
  };
  SECTION("another gradient") {
    const PairRule rule("SAM | HeavyBall", kF32);
    ModelPair pair(rule, three_tensors(), 2);
    steps(pair, 4);
  }
  SECTION("another gradient behind one that begins a state") {
    const PairRule rule("SAM | HeavyBall | Ema", kF64);
    ModelPair pair(rule, three_tensors(), 2);
    steps(pair, 4);
  }
  SECTION("arrays of lines") {
    const PairRule rule("m.Inputs", kF32, kInputs);
    ModelPair pair(rule, three_matrices(), 2);
    steps(pair, 3);
  }
  SECTION("numbers of the device") {
    const PairRule rule("m.Inputs", kF64, kInputs);
    ModelPair pair(rule, three_matrices(), 2);
    pair.place_numbers(true);
    steps(pair, 3);
  }
  SECTION("an input that is given now and then") {
    const PairRule rule("SophiaG", kF32);
    ModelPair pair(rule, three_tensors(), 2);
    for (int i = 0; i < 23; ++i) pair.step({}, i % 10 == 0);
    pair.require_same();
    const auto waits = waits_in([&] { REQUIRE(pair.step_device() == TALWEG_OK); });
    CHECK(waits == std::vector<std::string>{});
  }
}

TEST_CASE("the host waits once where a rule asks for another gradient in some steps only") {
  DriverSession session;
  const PairRule rule("LookSAM(k = 3) | HeavyBall", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 8; ++i) pair.step();  // in step 7 of 3 | 1 more
  while (talweg_is_waiting(pair.host) != 0) pair.step();
  for (int i = 0; i < 6; ++i) {
    pair.draw_gradients();
    const int was_waiting = talweg_is_waiting(pair.device);
    const auto waits = waits_in([&] { REQUIRE(pair.step_device() == TALWEG_OK); });
    CHECK(waits.size() == (was_waiting != 0 ? 0 : 1));
    REQUIRE(pair.step_host() == TALWEG_OK);
    REQUIRE(talweg_is_waiting(pair.device) == talweg_is_waiting(pair.host));
  }
  require_done(pair);
}

TEST_CASE("both calls of a step that asks for another gradient are captured") {
  DriverSession session;
  const Stream stream;
  for (const bool is_one_graph : {true, false}) {
    const PairRule rule("SAM | AdamW", kF32);
    ModelPair pair(rule, three_tensors(), 2);
    REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
    const auto capture = [&] { REQUIRE(pair.step_device() == TALWEG_OK); };
    std::vector<std::unique_ptr<Graph>> graphs;
    if (is_one_graph)
      graphs.push_back(std::make_unique<Graph>(stream, [&] {
        capture();
        capture();
      }));
    else
      for (int i = 0; i < 2; ++i) graphs.push_back(std::make_unique<Graph>(stream, capture));
    REQUIRE(talweg_is_waiting(pair.device) == 0);
    for (int i = 0; i < 5; ++i) {
      if (i == 3) {
        stream.wait();
        pair.set_hyper("lr", 0.5);
        REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK);
      }
      for (std::size_t half = 0; half < 2; ++half) {
        if (half < graphs.size()) {
          stream.wait();
          pair.draw_gradients();
        }
        REQUIRE(pair.step_host() == TALWEG_OK);
        if (half < graphs.size()) graphs[half]->launch(stream);
      }
      require_done(pair);
    }
    REQUIRE(pair.step() == TALWEG_REGRAD);
    REQUIRE(pair.step() == TALWEG_COMPLETED);
    pair.require_same();
  }
}

TEST_CASE("a step that waits on a device is abandoned, as on the host") {
  DriverSession session;
  const PairRule rule("SAM | AdamW", kF64);
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 3; ++i) {
    pair.step();
    pair.step();
    REQUIRE(pair.step({1}) == TALWEG_REGRAD);
    if (i == 1) pair.require_same();
    for (talweg_optimizer* optimizer : {pair.host, pair.device}) talweg_abandon(optimizer);
    require_done(pair);
  }
}

TEST_CASE("what a step is refused for ends its waiting for another gradient") {
  DriverSession session;
  const PairRule rule("SAM | m.Falls", kF32, kFalls);
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 4; ++i) pair.step();
  pair.require_same();
  pair.draw_gradients();
  talweg_error expected{}, error{};
  REQUIRE(pair.step_host(nullptr, &expected) == TALWEG_OUT_OF_RANGE);
  REQUIRE(pair.step_device() == TALWEG_OK);  // the device has not run
  REQUIRE(talweg_is_waiting(pair.device) == 1);
  REQUIRE(talweg_gpu_wait(pair.device, nullptr, &error) == TALWEG_OUT_OF_RANGE);
  CHECK(std::string(error.message) == expected.message);
  REQUIRE(talweg_is_waiting(pair.device) == 0);
  pair.set_hyper("ceiling", 9);
  for (int i = 0; i < 4; ++i) pair.step();
  pair.require_same();
}

TEST_CASE("an input that a step reads and was not given is missed by the device") {
  DriverSession session;
  const auto refuse = [](const PairRule& rule, std::vector<PairTensor> tensors,
                         const std::string& message) {
    ModelPair pair(rule, std::move(tensors), 2);
    pair.step();
    pair.step({}, false);  // requires the host's status and message
    talweg_error error{};
    pair.draw_gradients();
    for (int i = 0; i < 2; ++i) REQUIRE(pair.step_device() == TALWEG_OK);
    REQUIRE(talweg_cuda_wait(nullptr, nullptr) == TALWEG_CUDA_OK);
    REQUIRE(pair.step_device(true, &error) == TALWEG_MISSING_INPUT);
    CHECK(std::string(error.message) == message);
    pair.require_same();  // nothing has changed
    pair.step();
    pair.require_same();
  };
  SECTION("of elements") {
    refuse(PairRule("m.Reads", kF32, R"(
rule Reads {
  input noise
  step { update = 0.1 * (grad + noise) }
}
)"),
           three_tensors(),
           "step 2 of rule `Reads` reads input `noise`, which was not given for tensor `w0`");
  }
  SECTION("of the model") {
    refuse(PairRule("PolyakStep", kF64), three_tensors(),
           "step 2 of rule `PolyakStep` reads input `loss`, which was not given");
  }
  SECTION("of rows, in the tensors that the rule reads them for") {
    refuse(PairRule("m.Reads", kF32, R"(
rule Reads {
  require rank >= 2
  hyper lr = 0.1 in [0, inf)
  when rank == 2: Plain
  otherwise: Rows
}
rule Plain { step { update = 0.1 * grad } }
rule Rows {
  input row weight
  step { update = 0.1 * grad * weight }
}
)"),
           three_matrices(),
           "step 2 of rule `Reads` reads input `weight`, which was not given for tensor `w2`");
  }
  SECTION("of one of many tensors") {
    const PairRule rule("m.Reads", kF32, R"(
rule Reads {
  input noise
  when rank == 2: Noisy
  otherwise: Plain
}
rule Plain { step { update = 0.1 * grad } }
rule Noisy {
  input noise
  step { update = 0.1 * (grad + noise) }
}
)");
    std::vector<PairTensor> tensors(700, {{1}, 0});
    tensors[611].shape = {1, 1};
    refuse(rule, tensors,
           "step 2 of rule `Reads` reads input `noise`, which was not given for tensor `w611`");
  }
}

TEST_CASE("replays read the numbers that are on the device then") {
  DriverSession session;
  const Stream stream;
  for (const auto compute : {kF32, kF64}) {
    const PairRule rule("m.Inputs", compute, kInputs);
    ModelPair pair(rule, three_matrices(), 2);
    REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
    pair.place_numbers(true);
    pair.step();
    pair.require_same();
  }
  const PairRule rule("PolyakStep", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
  pair.place_numbers(true);
  pair.step();
  const Graph graph(stream, [&] { REQUIRE(pair.step_device() == TALWEG_OK); });
  for (int i = 0; i < 4; ++i) {
    stream.wait();
    pair.draw_gradients();
    pair.draw_numbers();
    REQUIRE(pair.step_host() == TALWEG_OK);
    graph.launch(stream);
  }
  require_done(pair);
  pair.place_numbers(false);  // what steps are given counts again
  for (int i = 0; i < 2; ++i) pair.step();
  pair.require_same();
}

TEST_CASE("rows and columns are captured where they lie") {
  DriverSession session;
  const Stream stream;
  const PairRule rule("m.Rows", kF32, R"(
rule Rows {
  require rank >= 2
  input row weight
  step { update = 0.1 * grad * weight }
}
)");
  ModelPair pair(rule, three_matrices(), 2);
  REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
  pair.step();
  const Graph graph(stream, [&] { REQUIRE(pair.step_device() == TALWEG_OK); });
  for (int i = 0; i < 3; ++i) {
    stream.wait();
    pair.draw_gradients();
    REQUIRE(pair.step_host() == TALWEG_OK);
    graph.launch(stream);
  }
  require_done(pair);
}

TEST_CASE("what can be no input of the device's is refused") {
  DriverSession session;
  const PairRule rule("m.Inputs", kF32, kInputs);
  ModelPair pair(rule, three_matrices(), 2);
  const auto refuse = [&](std::uint32_t input, talweg_cuda_address numbers, int is_float) {
    talweg_error error{};
    CHECK(talweg_gpu_set_input(pair.device, input, numbers, is_float, &error) ==
          TALWEG_BAD_ARGUMENT);
    return std::string(error.message);
  };
  CHECK(refuse(6, 4096, 1) == "there is no such input");
  CHECK(refuse(3, 4096, 1) ==
        "input `factor` is not a number of the model, of groups or of tensors");
  CHECK(refuse(0, 4098, 1) == "input `loss` is not aligned to its numbers");
  CHECK(refuse(0, 4100, 0) == "input `loss` is not aligned to its numbers");
  pair.step();
  pair.require_same();
  const PairRule sam("SAM | PolyakStep", kF32);
  ModelPair waiting(sam, three_tensors(), 2);
  REQUIRE(waiting.step() == TALWEG_REGRAD);
  talweg_error error{};
  CHECK(talweg_gpu_set_input(waiting.device, 0, 4096, 1, &error) == TALWEG_WAITING);
  REQUIRE(waiting.step() == TALWEG_COMPLETED);
  waiting.require_same();
}

}  // namespace talweg::gpu
