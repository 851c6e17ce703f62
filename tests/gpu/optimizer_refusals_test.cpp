// What optimizers on a device refuse: as those of the host do, or for a capture; and nothing has
// changed then.
#include <catch2/catch.hpp>

#include "tests/gpu/falling_rule.h"
#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;

std::vector<PairTensor> two_tensors() { return {{{7}, 0}, {{3, 5}, 1}}; }

/// Of a step that is captured; the capture goes on.
std::string refusal_in_capture(ModelPair& pair, const Stream& stream) {
  talweg_error error{};
  const std::string before = pair.everything(true);
  const Graph graph(stream, [&] { REQUIRE(pair.step_device(true, &error) == TALWEG_NOT_SERVED); });
  graph.launch(stream);
  stream.wait();
  REQUIRE(pair.everything(true) == before);
  return error.message;
}

constexpr const char* kUnsent =
    "this step cannot be captured: the device has not got the states that were set, or that the "
    "last step has left, which the host led through; make one more step before, or send hypers";

/// Two steps on both, then the host's refusal of the third.
talweg_error refuse_on_host(ModelPair& pair) {
  talweg_error expected{};
  for (int i = 0; i < 2; ++i) pair.step();
  pair.require_same();
  pair.draw_gradients();
  REQUIRE(pair.step_host(nullptr, &expected) == TALWEG_OUT_OF_RANGE);
  return expected;
}

/// From where both stand at the same.
void go_on(ModelPair& pair) {
  pair.require_same();
  REQUIRE(pair.step_host() == TALWEG_OUT_OF_RANGE);
  pair.set_hyper("ceiling", 10);
  for (int i = 0; i < 3; ++i) REQUIRE(pair.step() == TALWEG_COMPLETED);
  pair.require_same();
}

}  // namespace

TEST_CASE("what cannot be captured is said, and the capture goes on") {
  DriverSession session;
  const Stream stream;
  const auto on_stream = [&](const ModelPair& pair) {
    REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
  };
  SECTION("a state that begins") {
    const PairRule rule("GradientDescent | Ema", kF32);
    ModelPair pair(rule, two_tensors(), 2);
    on_stream(pair);
    CHECK(refusal_in_capture(pair, stream) ==
          "this step cannot be captured: state `average` gets its initial value in this step; "
          "make one such step before");
    pair.step();
    CHECK(refusal_in_capture(pair, stream) == kUnsent);
    REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK);
    const Graph graph(stream, [&] { REQUIRE(pair.step_device() == TALWEG_OK); });
    graph.launch(stream);
    REQUIRE(pair.step_host() == TALWEG_OK);
    REQUIRE(talweg_gpu_wait(pair.device, nullptr, nullptr) == TALWEG_OK);
    pair.require_same();
  }
  SECTION("another gradient in some steps") {
    const PairRule rule("LookSAM | GradientDescent", kF32);
    ModelPair pair(rule, two_tensors(), 2);
    on_stream(pair);
    CHECK(refusal_in_capture(pair, stream) ==
          "this step cannot be captured: rule `LookSAM | GradientDescent` asks for another "
          "gradient in some of its steps only");
    for (int i = 0; i < 7; ++i) pair.step();
    pair.require_same();
  }
  SECTION("one half of a step that asks for another gradient") {
    const PairRule rule("SAM | GradientDescent", kF32);
    ModelPair pair(rule, two_tensors(), 2);
    on_stream(pair);
    talweg_error error{};
    REQUIRE(pair.step({1}) == TALWEG_REGRAD);
    pair.draw_gradients();
    {
      const Graph graph(stream,
                        [&] { REQUIRE(pair.step_device(true, &error) == TALWEG_NOT_SERVED); });
      CHECK(std::string(error.message) ==
            "this step cannot be captured: it waits for another gradient, and its first call was "
            "not captured");
    }
    REQUIRE(pair.step({1}) == TALWEG_COMPLETED);  // it went on waiting
    pair.require_same();
    const Graph graph(stream, [&] { REQUIRE(pair.step_device() == TALWEG_OK); });
    REQUIRE(talweg_is_waiting(pair.device) == 1);
    REQUIRE(pair.step_device(true, &error) == TALWEG_NOT_SERVED);
    CHECK(std::string(error.message) ==
          "this step waits for another gradient in a capture: its first call was captured, so "
          "capture this one too, or abandon the step");
    talweg_abandon(pair.device);  // nothing has run
    pair.require_same();
    REQUIRE(pair.step() == TALWEG_REGRAD);
    REQUIRE(pair.step() == TALWEG_COMPLETED);
    pair.require_same();
  }
  SECTION("a hyper that is computed behind another gradient") {
    const PairRule rule("m.Behind", kF32, R"(
rule Behind = SAM | SkipNonFinite | GradientDescent(lr = 0.125 / t)
)");
    ModelPair pair(rule, two_tensors(), 2);
    on_stream(pair);
    CHECK(refusal_in_capture(pair, stream) ==
          "this step cannot be captured: hyper `lr` is computed behind the gradient that the rule "
          "asks for");
    for (int i = 0; i < 4; ++i) pair.step();
    pair.require_same();
  }
  SECTION("hypers and states that were set") {
    const PairRule rule("SkipNonFinite | GradientDescent", kF32);
    ModelPair pair(rule, two_tensors(), 2);
    on_stream(pair);
    pair.step();
    pair.set_hyper("lr", 0.25);
    CHECK(refusal_in_capture(pair, stream) ==
          "this step cannot be captured: hypers were set since the last step; send them to the "
          "device before");
    REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK);
    *talweg_scalar_state(pair.device, 0, 0) = 3;
    *talweg_scalar_state(pair.host, 0, 0) = 3;
    CHECK(refusal_in_capture(pair, stream) == kUnsent);
    pair.step();
    const Graph graph(stream, [&] { REQUIRE(pair.step_device() == TALWEG_OK); });
    pair.require_same();
  }
  SECTION("numbers of the host's") {
    const PairRule rule("PolyakStep", kF32);
    ModelPair pair(rule, two_tensors(), 2);
    on_stream(pair);
    pair.step();
    CHECK(refusal_in_capture(pair, stream) ==
          "this step cannot be captured: input `loss` is a number of the host's");
    pair.step();
    pair.require_same();
  }
  SECTION("sending hypers") {
    const PairRule rule("GradientDescent", kF32);
    ModelPair pair(rule, two_tensors(), 2);
    on_stream(pair);
    pair.set_hyper("lr", 0.5);
    talweg_error error{};
    const Graph graph(
        stream, [&] { REQUIRE(talweg_gpu_send_hypers(pair.device, &error) == TALWEG_NOT_SERVED); });
    CHECK(std::string(error.message) ==
          "hypers cannot be sent while the stream is being captured: every replay would bring "
          "them");
    pair.step();
    pair.require_same();
  }
}

/// How the refusal is told.
enum class Told { ByWaiting, ByNextStep, ByStatusAlone, AfterCounters, ByReset };

void require_told(ModelPair& pair, Told how, const talweg_error& expected) {
  talweg_error error{};
  talweg_status status = TALWEG_OK;
  switch (how) {
    case Told::ByWaiting:
      status = talweg_gpu_wait(pair.device, nullptr, &error);
      break;
    case Told::ByNextStep:  // once the device has run
      REQUIRE(talweg_cuda_wait(nullptr, nullptr) == TALWEG_CUDA_OK);
      status = pair.step_device(true, &error);
      break;
    case Told::ByStatusAlone:
      REQUIRE(talweg_gpu_wait(pair.device, nullptr, nullptr) == expected.status);
      return;
    case Told::AfterCounters: {  // which have no status
      const talweg_counters* counters = talweg_get_counters(pair.device);
      REQUIRE(counters->completed_steps == 2);
      REQUIRE(counters->calls == 2);
      status = pair.step_device(true, &error);
      break;
    }
    case Told::ByReset:  // which does nothing then
      status = talweg_reset(pair.device, &error);
      break;
  }
  REQUIRE(status == expected.status);
  REQUIRE(std::string(error.message) == expected.message);
}

TEST_CASE("a hyper that the rule computes out of its range stops a device as it does the host") {
  DriverSession session;
  const PairRule float32("m.Falls", kF32, kFalls);
  const PairRule float64("m.Falls", types::ComputeType::F64, kFalls);
  for (const Told how :
       {Told::ByWaiting, Told::ByNextStep, Told::ByStatusAlone, Told::AfterCounters, Told::ByReset})
    for (const int steps_after : {0, 1, 5}) {
      ModelPair pair(steps_after == 1 ? float64 : float32, two_tensors(), 2);
      const talweg_error expected = refuse_on_host(pair);
      const std::string before = pair.everything(true);
      // Nobody knows yet: the device has not run.
      for (int i = 0; i <= steps_after; ++i) REQUIRE(pair.step_device() == TALWEG_OK);
      require_told(pair, how, expected);
      talweg_outcome outcome{};
      REQUIRE(talweg_gpu_wait(pair.device, &outcome, nullptr) == TALWEG_OK);  // told once
      REQUIRE(outcome == TALWEG_COMPLETED);
      REQUIRE((pair.everything(true) == before));
      go_on(pair);
    }
}

TEST_CASE("replays of a graph do nothing from a refusal on until it is told") {
  DriverSession session;
  const Stream stream;
  const PairRule rule("m.Falls", kF32, kFalls);
  ModelPair pair(rule, two_tensors(), 2);
  REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
  const talweg_error expected = refuse_on_host(pair);
  const std::string before = pair.everything(true);
  const Graph graph(stream, [&] { REQUIRE(pair.step_device() == TALWEG_OK); });
  for (int i = 0; i < 4; ++i) graph.launch(stream);
  stream.wait();
  pair.set_hyper("ceiling", 10);  // too late for those that are queued, and not told yet
  REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK);
  graph.launch(stream);
  stream.wait();
  talweg_error error{};
  REQUIRE(talweg_gpu_wait(pair.device, nullptr, &error) == expected.status);
  REQUIRE(std::string(error.message) == expected.message);
  pair.set_hyper("ceiling", 0.25);
  REQUIRE((pair.everything(true) == before));
  pair.set_hyper("ceiling", 10);
  REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK);
  stream.wait();
  const Stream other;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(pair.step_host() == TALWEG_OK);
    graph.launch(i == 0 ? other : stream);
    if (i == 0) other.wait();
  }
  REQUIRE(talweg_gpu_wait(pair.device, nullptr, &error) == TALWEG_OK);
  pair.require_same();
}

}  // namespace talweg::gpu
