// Optimizers on devices in streams: what a step asks of the driver, and in which order work runs.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;

std::vector<PairTensor> three_tensors() { return {{{7}, 0}, {{3, 5}, 1}, {{40}, 1}}; }

/// What `body` asks of the driver: names of functions.
template <class Body>
std::vector<std::string> calls_of(const Body& body) {
  const std::size_t before = fake_cuda_log_lines();
  body();
  std::vector<std::string> names;
  for (std::size_t i = before; i < fake_cuda_log_lines(); ++i) {
    const std::string line = fake_cuda_log_line(i);
    names.push_back(line.substr(0, line.find('(')));
  }
  return names;
}

void begin_step(ModelPair& pair, bool names_gradients = true) {
  talweg_error error{};
  const talweg_status status = pair.step_device(names_gradients, &error);
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(status == TALWEG_OK);
}

void wait(ModelPair& pair) {
  talweg_error error{};
  const talweg_status status = talweg_gpu_wait(pair.device, nullptr, &error);
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(status == TALWEG_OK);
}

void set_stream(ModelPair& pair, const Stream& stream) {
  REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
}

}  // namespace

TEST_CASE("a steady step waits for nothing, and asks as little of the driver for any model") {
  DriverSession session;
  for (const char* expression : {"GradientDescent", "AdamW | Ema", "LAMB"}) {
    const PairRule rule(expression, kF32);
    std::vector<std::string> calls_of_few;
    for (const std::size_t count : {3, 300}) {
      ModelPair pair(rule, std::vector<PairTensor>(count, PairTensor{{2, 3}}));
      for (int i = 0; i < 2; ++i) pair.step();
      begin_step(pair);
      const auto calls = calls_of([&] { begin_step(pair); });
      REQUIRE(calls.size() < 30);
      for (std::size_t i = 0; i < calls.size(); ++i) {
        const std::string wanted = i == 0                  ? "cuCtxPushCurrent_v2"
                                   : i == 1                ? "cuStreamIsCapturing"
                                   : i + 1 == calls.size() ? "cuCtxPopCurrent_v2"
                                                           : "cuLaunchKernel";
        REQUIRE(calls[i] == wanted);
      }
      REQUIRE(calls_of([&] { begin_step(pair, false); }) == calls);
      if (count == 3) calls_of_few = calls;
      REQUIRE(calls.size() == calls_of_few.size());
      for (int i = 0; i < 3; ++i) REQUIRE(pair.step_host() == TALWEG_OK);
      wait(pair);
      pair.require_same();
    }
  }
}

TEST_CASE("many steps in flight, each with other hypers and gradients elsewhere") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  pair.step();
  std::vector<std::vector<DeviceBytes>> places;
  for (int i = 0; i < 12; ++i) {
    pair.set_hyper("lr", 0.01 * (i + 1));
    std::vector<DeviceBytes> place;
    for (const DeviceBytes& there : pair.device_gradients) place.emplace_back(there.bytes);
    std::swap(place, pair.device_gradients);
    places.push_back(std::move(place));
    Stream others;  // writing to these places waits for nothing of the optimizer's
    for (std::size_t t = 0; t < pair.gradients.size(); ++t) {
      std::reverse(pair.gradients[t].begin(), pair.gradients[t].end());
      for (std::size_t k = 3; k < pair.gradients[t].size(); k += 4) pair.gradients[t][k] = '\x3e';
      pair.device_gradients[t].write(pair.gradients[t], others.handle);
    }
    REQUIRE(pair.step_host() == TALWEG_OK);
    begin_step(pair);
  }
  wait(pair);
  pair.require_same();
}

TEST_CASE("a stream that is set waits for what is in the one before") {
  DriverSession session;
  const PairRule rule("AdamW | Ema", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  const Stream first, second, third;
  pair.step();
  for (int i = 0; i < 3; ++i) {
    set_stream(pair, first);
    begin_step(pair);
    set_stream(pair, second);
    begin_step(pair);
    set_stream(pair, third);  // nothing in between
    set_stream(pair, first);
    for (int k = 0; k < 2; ++k) REQUIRE(pair.step_host() == TALWEG_OK);
    if (i > 0) wait(pair);  // then hypers are all that is in the first stream
    pair.set_hyper("lr", 0.125 * (i + 1));
    REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK);
    set_stream(pair, second);
    REQUIRE(pair.step_host() == TALWEG_OK);
    begin_step(pair);
    second.wait();  // all that comes before it is done too
    REQUIRE(fake_cuda_count("work") == 0);
    wait(pair);
    pair.require_same();
  }
}

TEST_CASE("what is left for a stream that is captured comes before what follows the capture") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  for (const bool stays : {true, false}) {
    ModelPair pair(rule, three_tensors(), 2);
    const Stream first, captured, third;
    pair.step();
    set_stream(pair, first);
    begin_step(pair);
    const Graph graph(captured, [&] {
      set_stream(pair, captured);
      begin_step(pair);
    });
    if (!stays) set_stream(pair, third);
    begin_step(pair);
    (stays ? captured : third).wait();
    REQUIRE(fake_cuda_count("work") == 0);
    for (int i = 0; i < 2; ++i) REQUIRE(pair.step_host() == TALWEG_OK);
    wait(pair);
    pair.require_same();
  }
}

TEST_CASE("hypers that are sent come behind what was left for a capture") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  const Stream first, captured, third;
  pair.step();
  set_stream(pair, first);
  begin_step(pair);
  REQUIRE(pair.step_host() == TALWEG_OK);
  const Graph graph(captured, [&] {
    set_stream(pair, captured);
    begin_step(pair);
  });
  pair.set_hyper("lr", 0.5);
  REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK);
  captured.wait();
  REQUIRE(fake_cuda_count("work") == 0);
  // And what follows in yet another stream, behind the hypers and the replay.
  graph.launch(captured);
  REQUIRE(pair.step_host() == TALWEG_OK);
  set_stream(pair, third);
  begin_step(pair);
  REQUIRE(pair.step_host() == TALWEG_OK);
  third.wait();
  REQUIRE(fake_cuda_count("work") == 0);
  pair.require_same();
}

TEST_CASE("a step in another stream comes behind replays in the one before") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  const Stream captured, other;
  pair.step();
  pair.step();
  set_stream(pair, captured);
  const Graph graph(captured, [&] { begin_step(pair); });
  wait(pair);
  graph.launch(captured);
  set_stream(pair, other);
  begin_step(pair);
  for (int i = 0; i < 2; ++i) REQUIRE(pair.step_host() == TALWEG_OK);
  other.wait();
  REQUIRE(fake_cuda_count("work") == 0);
  pair.require_same();
}

TEST_CASE("nothing is read during a capture, which goes on") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  const Stream captured;
  pair.step();
  pair.step();
  set_stream(pair, captured);
  begin_step(pair);
  REQUIRE(pair.step_host() == TALWEG_OK);
  talweg_error error{};
  const Graph graph(captured, [&] {
    begin_step(pair);
    REQUIRE(talweg_gpu_wait(pair.device, nullptr, &error) == TALWEG_NOT_SERVED);
  });
  CHECK(std::string(error.message) ==
        "what steps have left cannot be read while the stream is being captured");
  graph.launch(captured);
  REQUIRE(pair.step_host() == TALWEG_OK);
  wait(pair);
  pair.require_same();
}

TEST_CASE("gradients that are not named are those before, whatever came in between") {
  DriverSession session;
  const PairRule rule("AdamW | Ema", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  pair.step({1});  // led
  const auto both = [&] {
    pair.draw_gradients();
    REQUIRE(pair.step_host() == TALWEG_OK);
    begin_step(pair, false);
    wait(pair);
  };
  both();
  pair.require_same();  // reads views, of all tensors
  both();
  pair.require_same();
  std::vector<DeviceBytes> others;
  for (const DeviceBytes& there : pair.device_gradients) others.emplace_back(there.bytes);
  std::swap(others, pair.device_gradients);
  for (talweg_optimizer* optimizer : {pair.host, pair.device})
    REQUIRE(talweg_reset(optimizer, nullptr) == TALWEG_OK);
  pair.step({2});  // led, with gradients elsewhere
  both();
  const talweg_step_inputs none{};
  std::uint8_t missing = 0;
  REQUIRE(talweg_missing_inputs(pair.device, &none, &missing, nullptr) == TALWEG_OK);
  both();
  for (talweg_optimizer* optimizer : {pair.host, pair.device})
    REQUIRE(talweg_reset(optimizer, nullptr) == TALWEG_OK);
  both();  // led
  pair.require_same();
}

TEST_CASE("replays in another stream are waited for before an optimizer's memory is released") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  const Stream stream, other;
  auto pair = std::make_unique<ModelPair>(rule, three_tensors(), 2);
  set_stream(*pair, stream);
  pair->step();
  const Graph graph(stream, [&] { begin_step(*pair); });
  for (talweg_optimizer* optimizer : {pair->host, pair->device})
    talweg_get_counters(optimizer)->calls += 1;  // which the device has not heard of
  graph.launch(other);
  talweg_gpu_destroy(std::exchange(pair->device, nullptr));
  REQUIRE(fake_cuda_count("work") == 0);
  REQUIRE(std::string(fake_cuda_fault()).empty());
}

}  // namespace talweg::gpu
