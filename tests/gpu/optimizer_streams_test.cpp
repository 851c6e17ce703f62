// Optimizers on devices in streams and contexts: what a step asks of the driver, in which order
// work runs, and what is refused where an optimizer is made.
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

/// Why no optimizer of a pair's parameters is made of a spec.
talweg_status refusal(talweg_gpu_spec spec, std::string& message) {
  talweg_optimizer* made = nullptr;
  talweg_error error{};
  const talweg_status status = talweg_gpu_create(&spec, &made, &error);
  message = error.message;
  talweg_gpu_destroy(made);
  return status;
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

TEST_CASE("optimizers of two devices, and callers without a context") {
  DriverSession session(2);
  talweg_cuda_context other = nullptr;
  REQUIRE(talweg_cuda_retain_context(1, &other, nullptr) == TALWEG_CUDA_OK);
  const PairRule rule("AdamW | Ema", kF32);
  {
    ModelPair first(rule, three_tensors(), 2);
    REQUIRE(talweg_cuda_enter(other, nullptr) == TALWEG_CUDA_OK);
    const auto second = std::make_unique<ModelPair>(rule, three_tensors(), 2, 2);
    for (int i = 0; i < 3; ++i) {
      second->draw_gradients();
      REQUIRE(talweg_cuda_leave(other, nullptr) == TALWEG_CUDA_OK);
      first.draw_gradients();
      REQUIRE(talweg_cuda_leave(session.context, nullptr) == TALWEG_CUDA_OK);
      for (ModelPair* pair : {&first, second.get()}) {
        begin_step(*pair);
        REQUIRE(pair->step_host() == TALWEG_OK);
        wait(*pair);
      }
      REQUIRE(talweg_cuda_enter(session.context, nullptr) == TALWEG_CUDA_OK);
      first.require_same();
      REQUIRE(talweg_cuda_enter(other, nullptr) == TALWEG_CUDA_OK);
      second->require_same();
    }
    talweg_gpu_spec spec{};
    std::string message;
    const talweg_gpu_code code{rule.ptx.c_str(), 90};
    spec.optimizer = *talweg_get_spec(first.device);
    spec.optimizer.image = &rule.host->image();
    spec.codes = &code;
    spec.code_count = 1;
    CHECK(refusal(spec, message) == TALWEG_BAD_ARGUMENT);
    CHECK(message == "tensor `w0` is in memory of device 0; the optimizer is on device 1");
    spec.context = session.context;
    CHECK(refusal(spec, message) == TALWEG_OK);
    std::vector<talweg_tensor> tensors(spec.optimizer.tensors, spec.optimizer.tensors + 3);
    std::vector<float> here(40);
    tensors[2].param = here.data();
    spec.optimizer.tensors = tensors.data();
    CHECK(refusal(spec, message) == TALWEG_BAD_ARGUMENT);
    CHECK(message == "tensor `w2` is not in memory of a device; the optimizer is on device 0");
  }
  REQUIRE(talweg_cuda_leave(other, nullptr) == TALWEG_CUDA_OK);
  REQUIRE(talweg_cuda_release_context(1, nullptr) == TALWEG_CUDA_OK);
}

TEST_CASE("optimizers that are not made") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  ModelPair pair(rule, three_tensors(), 2);
  const talweg_gpu_code codes[] = {{rule.ptx.c_str(), 90}, {rule.ptx.c_str(), 100}};
  const Stream stream;
  talweg_gpu_spec spec{};
  std::string message;
  spec.optimizer = *talweg_get_spec(pair.device);
  spec.optimizer.image = &rule.host->image();
  spec.codes = codes;
  spec.code_count = 2;
  CHECK(refusal(spec, message) == TALWEG_OK);
  spec.stream = stream.handle;
  const Graph graph(stream, [&] {
    CHECK(refusal(spec, message) == TALWEG_NOT_SERVED);
    CHECK(message == "an optimizer cannot be made while its stream is being captured");
  });
  fake_cuda_set_device(0, "Old GPU", 7, 5, 40, std::size_t{8} << 30);
  CHECK(refusal(spec, message) == TALWEG_NOT_SERVED);
  CHECK(message ==
        "device 0 (Old GPU) is of architecture sm_75; the rule's code is for sm_90 and newer ones");
  spec.code_count = 0;
  CHECK(refusal(spec, message) == TALWEG_NOT_SERVED);
  CHECK(message == "device 0 (Old GPU) is of architecture sm_75; the rule has none");
  REQUIRE(talweg_cuda_leave(session.context, nullptr) == TALWEG_CUDA_OK);
  CHECK(refusal(spec, message) == TALWEG_BAD_ARGUMENT);
  CHECK(message == "no context of the CUDA driver is given, and none is current");
  REQUIRE(talweg_cuda_enter(session.context, nullptr) == TALWEG_CUDA_OK);
}

}  // namespace talweg::gpu
