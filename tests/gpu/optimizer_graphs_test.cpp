// Steps of an optimizer on a device that are captured and replayed.
#include <catch2/catch.hpp>

#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;

/// Scalars of every rate that a step changes.
constexpr const char* kMixed = R"(
rule Mixed {
  hyper lr = 0.1 in [0, inf)
  state model number
  state group reach
  state tensor count
  state velocity
  step {
    number += 1
    reach = 0.5 * reach + norm(grad) per group
    count = count + max(abs(grad)) per tensor
    velocity = 0.9 * velocity + grad
    update = lr * velocity / (1 + reach + count / number)
  }
}
)";

std::vector<PairTensor> three_tensors() { return {{{7}, 0}, {{3, 5}, 1}, {{40}, 1}}; }

/// A pair whose device works in a stream, with gradients at two places.
struct Model {
  explicit Model(const PairRule& rule) : pair(rule, three_tensors(), 2) {
    REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
    for (const DeviceBytes& there : pair.device_gradients) others.emplace_back(there.bytes);
    for (DeviceBytes& there : others) there.write(std::string(there.bytes, '\x41'));
  }

  /// Gradients are at the other place from here on; where they were is nonsense.
  void move() { std::swap(pair.device_gradients, others); }
  void replay(const Graph& graph) {
    stream.wait();
    pair.draw_gradients();
    REQUIRE(pair.step_host() == TALWEG_OK);
    graph.launch(stream);
  }
  void step(bool names_gradients = true) {
    stream.wait();
    pair.draw_gradients();
    REQUIRE(pair.step_host() == TALWEG_OK);
    talweg_error error{};
    const talweg_status status = pair.step_device(names_gradients, &error);
    INFO(error.message);
    REQUIRE(status == TALWEG_OK);
  }
  void capture_step(bool names_gradients = true) {
    talweg_error error{};
    const talweg_status status = pair.step_device(names_gradients, &error);
    INFO(error.message);
    REQUIRE(status == TALWEG_OK);
  }
  void require_same() {
    talweg_error error{};
    const talweg_status status = talweg_gpu_wait(pair.device, nullptr, &error);
    INFO(error.message << " " << fake_cuda_fault());
    REQUIRE(status == TALWEG_OK);
    pair.require_same();
  }
  void send_hypers() { REQUIRE(talweg_gpu_send_hypers(pair.device, nullptr) == TALWEG_OK); }

  Stream stream;
  ModelPair pair;
  std::vector<DeviceBytes> others;
};

}  // namespace

TEST_CASE("a captured step is replayed, and hypers are sent between") {
  DriverSession session;
  for (const auto compute : {kF32, types::ComputeType::F64}) {
    const PairRule adamw("AdamW", compute), mixed("m.Mixed", compute, kMixed);
    for (const PairRule* rule : {&adamw, &mixed}) {
      Model model(*rule);
      const Graph graph(model.stream, [&] { model.capture_step(); });
      model.require_same();  // nothing was done
      for (int i = 0; i < 20; ++i) {
        if (i % 4 == 3) {
          model.pair.set_hyper("lr", 0.01 * i);
          model.send_hypers();
        }
        model.replay(graph);
        if (i % 5 == 2) model.require_same();
      }
      model.require_same();
    }
  }
}

TEST_CASE("hypers that are set and sent do not reach replays that are still to run") {
  DriverSession session;
  const PairRule rule("GradientDescent", kF32);
  Model model(rule);
  const Graph graph(model.stream, [&] { model.capture_step(); });
  model.pair.draw_gradients();
  for (int i = 1; i < 9; ++i) {
    model.pair.set_hyper("lr", 0.1 * i);
    model.send_hypers();
    REQUIRE(model.pair.step_host() == TALWEG_OK);
    graph.launch(model.stream);
  }
  model.require_same();
}

TEST_CASE("replays and other steps alternate, with gradients at different places") {
  DriverSession session;
  const PairRule rule("m.Mixed", kF32, kMixed);
  Model model(rule);
  model.step();
  const Graph first(model.stream, [&] { model.capture_step(); });
  model.move();
  const Graph second(model.stream, [&] { model.capture_step(); });
  // The place of `first`, then that of `second`, as the last digit says.
  int place = 1;
  const auto at = [&](int wanted) {
    if (wanted != place) model.move();
    place = wanted;
  };
  for (int i = 0; i < 6; ++i) {
    at(0);
    model.replay(first);
    at(1);
    model.step();
    model.step(i % 2 == 0);  // where they were, said or not
    model.replay(second);
    model.step(i % 2 == 1);
    at(0);
    model.replay(first);
    if (i % 2 == 0) model.require_same();
    model.step();
    model.replay(first);
    at(1);
    model.replay(second);
  }
  model.require_same();
}

TEST_CASE("a capture whose gradients are not named has those of the step before") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  Model model(rule);
  model.step();
  const Graph graph(model.stream, [&] { model.capture_step(false); });
  model.move();
  model.step();
  model.move();
  model.replay(graph);
  model.require_same();
}

TEST_CASE("tensors without gradients stay out of replays") {
  DriverSession session;
  const PairRule rule("m.Mixed", kF32, kMixed);
  Model model(rule);
  model.pair.step({1});  // the tensors of the capture too
  const Graph graph(model.stream, [&] { model.capture_step(); });
  for (int i = 0; i < 3; ++i) model.replay(graph);
  model.require_same();
}

TEST_CASE("states that were set, and a reset, are sent before a replay") {
  DriverSession session;
  const PairRule rule("m.Mixed", kF32, kMixed);
  Model model(rule);
  const Graph graph(model.stream, [&] { model.capture_step(); });
  const std::uint32_t reach = 1;
  for (int i = 0; i < 3; ++i) {
    model.replay(graph);
    model.replay(graph);
    for (talweg_optimizer* optimizer : {model.pair.host, model.pair.device})
      *talweg_scalar_state(optimizer, reach, 1) += 0.75;
    if (i < 2) model.send_hypers();
    if (i < 2)
      model.replay(graph);
    else
      model.step();
    model.require_same();
    for (talweg_optimizer* optimizer : {model.pair.host, model.pair.device})
      REQUIRE(talweg_reset(optimizer, nullptr) == TALWEG_OK);
    model.send_hypers();
    model.replay(graph);
    model.require_same();
  }
}

TEST_CASE("the same places are captured any number of times, others a few times") {
  DriverSession session;
  const PairRule rule("GradientDescent", kF32);
  Model model(rule);
  for (int i = 0; i < 10; ++i) const Graph graph(model.stream, [&] { model.capture_step(); });
  std::vector<std::vector<DeviceBytes>> places(4);
  for (auto& place : places)
    for (const DeviceBytes& there : model.others) place.emplace_back(there.bytes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::swap(model.pair.device_gradients, places[i]);
    const Graph graph(model.stream, [&] {
      if (i < 3) return model.capture_step();
      talweg_error error{};
      REQUIRE(model.pair.step_device(true, &error) == TALWEG_NOT_SERVED);
      REQUIRE(std::string(error.message) ==
              "captures of steps whose gradients lie at more than 4 different places are not "
              "served");
    });
    if (i < 3) model.replay(graph);
    model.require_same();
  }
  model.step();
  model.require_same();
}

}  // namespace talweg::gpu
