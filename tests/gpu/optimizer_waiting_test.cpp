// What may be asked of an optimizer on a device while it has not been heard what its steps were
// refused for, or while one of them waits for another gradient.
#include <catch2/catch.hpp>

#include "tests/gpu/falling_rule.h"
#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;

std::vector<PairTensor> three_tensors() { return {{{7}, 0}, {{3, 5}, 1}, {{40}, 1}}; }

std::vector<std::string> device_params(const ModelPair& pair) {
  std::vector<std::string> all;
  for (const DeviceBytes& param : pair.device_params) all.push_back(param.read());
  return all;
}

/// A step with gradients of all tensors, and an error that nobody reads.
talweg_status step_all(const ModelPair& pair) {
  std::vector<const void*> gradients;
  for (const DeviceBytes& gradient : pair.device_gradients)
    gradients.push_back(reinterpret_cast<const void*>(gradient.address));
  talweg_step_inputs inputs{};
  inputs.gradients = gradients.data();
  return talweg_step(pair.device, &inputs, nullptr, nullptr);
}

}  // namespace

TEST_CASE("a step that was refused unheard and waits moves nothing when it is abandoned") {
  DriverSession session;
  const PairRule rule("SAM | m.Falls", kF32, kFalls);
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 4; ++i) pair.step();
  pair.require_same();
  const std::vector<std::string> before = device_params(pair);
  pair.draw_gradients();
  REQUIRE(pair.step_device() == TALWEG_OK);  // the device has not run
  REQUIRE(talweg_is_waiting(pair.device) == 1);
  SECTION("abandoned") {
    talweg_abandon(pair.device);
    CHECK(device_params(pair) == before);
    REQUIRE(talweg_is_waiting(pair.device) == 0);
    talweg_error error{};
    CHECK(talweg_gpu_wait(pair.device, nullptr, &error) == TALWEG_OUT_OF_RANGE);
    pair.set_hyper("ceiling", 9);
    for (int i = 0; i < 4; ++i) pair.step();
    pair.require_same();
  }
  SECTION("destroyed") {
    talweg_gpu_destroy(pair.device);
    pair.device = nullptr;
    CHECK(device_params(pair) == before);
  }
  SECTION("abandoned after counters were read") {
    talweg_get_counters(pair.device);
    talweg_abandon(pair.device);
    CHECK(device_params(pair) == before);
  }
}

TEST_CASE("a step that the host leads is not made behind one that was refused unheard") {
  DriverSession session;
  const PairRule rule("m.Falls", kF32, R"(
rule Falls {
  hyper ceiling = 0.25 in (-inf, inf)
  when rank == 2: Ema
  otherwise: HeavyBall(lr = ceiling - 0.1 * t) | Ema
}
)");
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 2; ++i) pair.step({1});
  pair.require_same();
  const std::vector<std::string> before = device_params(pair);
  REQUIRE(pair.step_device() == TALWEG_OK);  // the device has not run
  pair.set_hyper("ceiling", 9);
  CHECK(step_all(pair) == TALWEG_OUT_OF_RANGE);
  CHECK(device_params(pair) == before);
}

TEST_CASE("a call that skips for an input that was not given is refused") {
  DriverSession session;
  const PairRule rule("m.Skips", kF32, R"(
rule Skips {
  input model loss
  step {
    skip if loss < 0.5
    update = 0.1 * grad
  }
}
)");
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 6; ++i) pair.step({}, i % 2 == 0);  // requires the host's status
  pair.require_same();
}

TEST_CASE("a capture that was given up says nothing of later steps that wait") {
  DriverSession session;
  const Stream stream;
  const PairRule rule("SAM | HeavyBall | Ema", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
  for (int i = 0; i < 4; ++i) pair.step();
  const Graph half(stream, [&] { REQUIRE(pair.step_device() == TALWEG_OK); });
  talweg_abandon(pair.device);
  for (talweg_optimizer* optimizer : {pair.host, pair.device})
    REQUIRE(talweg_reset(optimizer, nullptr) == TALWEG_OK);
  REQUIRE(pair.step() == TALWEG_REGRAD);  // led: states begin
  talweg_error error{};
  const Graph other(stream, [&] { CHECK(pair.step_device(true, &error) == TALWEG_NOT_SERVED); });
  CHECK(std::string(error.message) ==
        "this step cannot be captured: it waits for another gradient, and its first call was not "
        "captured");
  for (talweg_optimizer* optimizer : {pair.host, pair.device}) talweg_abandon(optimizer);
  pair.require_same();
}

TEST_CASE("what is refused while a step waits names that step") {
  DriverSession session;
  const PairRule rule("SAM | HeavyBall", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 4; ++i) pair.step();
  for (int i = 0; i < 5; ++i) {
    REQUIRE(pair.step_host() == TALWEG_OK);
    REQUIRE(pair.step_device() == TALWEG_OK);
  }
  talweg_error expected{}, error{};
  REQUIRE(talweg_reset(pair.host, &expected) == TALWEG_WAITING);
  REQUIRE(talweg_reset(pair.device, &error) == TALWEG_WAITING);
  CHECK(std::string(error.message) == expected.message);
}

TEST_CASE("the second half of a step does nothing where its first was refused and told") {
  DriverSession session;
  const Stream stream;
  const PairRule rule("SAM | m.Falls", kF32, kFalls);
  ModelPair pair(rule, three_tensors(), 2);
  REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
  const auto capture = [&] { REQUIRE(pair.step_device() == TALWEG_OK); };
  const Graph first(stream, capture), second(stream, capture);
  pair.draw_gradients();
  for (int i = 0; i < 2; ++i) {
    for (const Graph* half : {&first, &second}) {
      REQUIRE(pair.step_host() == TALWEG_OK);
      half->launch(stream);
    }
  }
  stream.wait();
  const std::vector<std::string> before = device_params(pair);
  first.launch(stream);
  talweg_error error{};
  CHECK(talweg_gpu_wait(pair.device, nullptr, &error) == TALWEG_OUT_OF_RANGE);
  second.launch(stream);
  stream.wait();
  CHECK(device_params(pair) == before);
  pair.require_same();
  pair.set_hyper("ceiling", 9);
  for (int i = 0; i < 4; ++i) pair.step();
  pair.require_same();
}

TEST_CASE("the gradients of a step's second half need not be named again") {
  DriverSession session;
  const PairRule rule("SAM | HeavyBall | Ema", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  for (int i = 0; i < 3; ++i) {  // the first is led by the host
    REQUIRE(pair.step() == TALWEG_REGRAD);
    REQUIRE(talweg_gpu_wait(pair.device, nullptr, nullptr) == TALWEG_OK);
    pair.draw_gradients();
    REQUIRE(pair.step_host() == TALWEG_OK);
    talweg_error error{};
    const talweg_status status = pair.step_device(false, &error);
    INFO(error.message);
    REQUIRE(status == TALWEG_OK);
    REQUIRE(talweg_gpu_wait(pair.device, nullptr, nullptr) == TALWEG_OK);
    pair.require_same();
  }
}

TEST_CASE("the gradients of a step's second half may lie elsewhere") {
  DriverSession session;
  const PairRule rule("SAM | HeavyBall", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  std::vector<DeviceBytes> others;
  for (const DeviceBytes& there : pair.device_gradients) others.emplace_back(there.bytes);
  for (int i = 0; i < 6; ++i) {
    pair.step();  // what lies at the other place are gradients of the call before
    std::swap(pair.device_gradients, others);
  }
  pair.require_same();
}

TEST_CASE("a refusal that was not told before a capture is told behind it") {
  DriverSession session;
  const Stream stream;
  const PairRule rule("m.Falls", kF32, kFalls);
  ModelPair pair(rule, three_tensors(), 2);
  REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
  for (int i = 0; i < 2; ++i) pair.step();
  REQUIRE(pair.step_device() == TALWEG_OK);
  talweg_get_counters(pair.device);  // hears it
  talweg_error error{};
  const Graph graph(stream, [&] { CHECK(pair.step_device(true, &error) == TALWEG_NOT_SERVED); });
  CHECK(std::string(error.message) ==
        "what steps have left cannot be read while the stream is being captured");
  CHECK(pair.step_device(true, &error) == TALWEG_OUT_OF_RANGE);
  pair.set_hyper("ceiling", 9);
  for (int i = 0; i < 2; ++i) pair.step();
  pair.require_same();
}

}  // namespace talweg::gpu
