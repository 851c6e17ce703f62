// Steps under a loss that is scaled, as PyTorch's GradScaler wants them: left out where a gradient
// is not finite, and gradients divided by the scale in place, before anything reads them.
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;

std::vector<PairTensor> some_tensors() { return {{{7}, 0}, {{3, 5}, 1}, {{0}, 0}, {{1100}, 0}}; }

std::string bytes_of(float value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

/// What PyTorch leaves of gradients: times the float32 of 1 / scale, in the compute type.
std::string unscaled(const std::string& gradient, float scale, types::ComputeType compute) {
  const auto factor = static_cast<float>(1 / static_cast<double>(scale));
  std::string to = gradient;
  const auto each = [&](auto factor_of_type) {
    using T = decltype(factor_of_type);
    for (std::size_t i = 0; i < to.size(); i += sizeof(T)) {
      T value;
      std::memcpy(&value, &to[i], sizeof value);
      value *= factor_of_type;
      std::memcpy(&to[i], &value, sizeof value);
    }
  };
  if (compute == kF32)
    each(factor);
  else
    each(static_cast<double>(factor));
  return to;
}

/// A pair whose device is given scaled gradients: those of the host are without the scale.
struct Scaled {
  Scaled(const PairRule& rule, types::ComputeType compute_type, bool gives_scale = true)
      : compute(compute_type), pair(rule, some_tensors(), 2), found_inf(4), scale(4) {
    REQUIRE(talweg_gpu_set_stream(pair.device, stream.handle, nullptr) == TALWEG_OK);
    set(0, 1);
    REQUIRE(talweg_gpu_set_scaling(pair.device, found_inf.address, gives_scale ? scale.address : 0,
                                   nullptr) == TALWEG_OK);
  }
  void set(float found, float factor) {
    factor_ = factor;
    found_inf.write(bytes_of(found));
    scale.write(bytes_of(factor));
  }
  /// New gradients on the device; the host has its step where `is_kept`.
  void begin(bool is_kept) {
    stream.wait();
    pair.draw_gradients();
    scaled = pair.gradients;
    if (!is_kept) return;
    for (std::string& gradient : pair.gradients) gradient = unscaled(gradient, factor_, compute);
    talweg_error error{};
    const talweg_status status = pair.step_host(nullptr, &error);
    INFO(error.message);
    REQUIRE(status == TALWEG_OK);
  }
  talweg_outcome wait() {
    talweg_outcome outcome{};
    talweg_error error{};
    const talweg_status status = talweg_gpu_wait(pair.device, &outcome, &error);
    INFO(error.message << " " << fake_cuda_fault());
    REQUIRE(status == TALWEG_OK);
    return outcome;
  }
  /// Gradients are unscaled in place where the step was kept, else as they were.
  void require_same(bool is_kept) {
    const std::vector<std::string>& wanted = is_kept ? pair.gradients : scaled;
    for (std::size_t t = 0; t < wanted.size(); ++t)
      REQUIRE((pair.device_gradients[t].read() == wanted[t]));
    pair.require_same();
  }
  void step(float found, float factor) {
    const bool is_kept = found == 0;
    set(found, factor);
    begin(is_kept);
    talweg_error error{};
    const talweg_status status = pair.step_device(true, &error);
    INFO(error.message);
    REQUIRE(status == TALWEG_OK);
    REQUIRE(wait() == (is_kept ? TALWEG_COMPLETED : TALWEG_SKIPPED));
    require_same(is_kept);
  }

  types::ComputeType compute;
  Stream stream;
  ModelPair pair;
  DeviceBytes found_inf, scale;
  std::vector<std::string> scaled;

 private:
  float factor_ = 1;
};

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("scaled gradients, and steps left out, where host or device lead") {
  DriverSession session;
  for (const auto compute : {kF32, types::ComputeType::F64})
    // The host leads through the first step of Ema.
    for (const char* expression : {"AdamW", "AdamW | Ema"}) {
      const PairRule rule(expression, compute);
      Scaled model(rule, compute);
      for (const float found : {1.0F, 0.0F, kNan, 0.0F, kInf, -0.0F, 1.0F, 1.0F, 0.0F})
        for (const float factor : {65536.0F, 3.0F}) model.step(found, factor);
      REQUIRE(talweg_get_counters(model.pair.device)->calls == 8);
    }
}

TEST_CASE("a led step after one that was left out, and the other way round, end as they do") {
  DriverSession session;
  const PairRule rule("AdamW | Ema", kF32);
  Scaled model(rule, kF32);
  for (int i = 0; i < 3; ++i) {
    for (talweg_optimizer* optimizer : {model.pair.host, model.pair.device})
      REQUIRE(talweg_reset(optimizer, nullptr) == TALWEG_OK);
    model.step(1, 2);  // led
    model.step(0, 4);  // led
    model.step(1, 8);
    if (i == 1) model.step(0, 16);
  }
}

TEST_CASE("gradients that are unscaled already: found_inf alone") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  Scaled model(rule, kF32, false);
  for (const float found : {0.0F, 1.0F, 0.0F}) model.step(found, 1);
  // And none of both.
  REQUIRE(talweg_gpu_set_scaling(model.pair.device, 0, 0, nullptr) == TALWEG_OK);
  model.set(1, 2);
  REQUIRE(model.pair.step() == TALWEG_COMPLETED);
  model.pair.require_same();
}

TEST_CASE("replays look at the scale and at found_inf as they are then") {
  DriverSession session;
  for (const auto compute : {kF32, types::ComputeType::F64}) {
    const PairRule rule("AdamW", compute);
    Scaled model(rule, compute);
    const Graph graph(model.stream, [&] { REQUIRE(model.pair.step_device() == TALWEG_OK); });
    float factor = 1024;
    for (const float found : {0.0F, 1.0F, 0.0F, kNan, kInf, 0.0F, 0.0F}) {
      model.stream.wait();
      model.set(found, factor);
      model.begin(found == 0);
      graph.launch(model.stream);
      REQUIRE(model.wait() == (found == 0 ? TALWEG_COMPLETED : TALWEG_SKIPPED));
      model.require_same(found == 0);
      factor *= 0.75F;
    }
    REQUIRE(talweg_get_counters(model.pair.device)->completed_steps == 4);
  }
}

TEST_CASE("what cannot be scaled is refused, and nothing changes") {
  DriverSession session;
  const PairRule rule("SAM | GradientDescent", kF32);
  Scaled model(rule, kF32);
  talweg_error error{};
  model.begin(false);
  REQUIRE(model.pair.step_device(true, &error) == TALWEG_NOT_SERVED);
  CHECK(std::string(error.message) ==
        "a rule that asks for another gradient cannot be given scaled ones");
  model.require_same(false);
  CHECK(talweg_gpu_set_scaling(model.pair.device, model.found_inf.address + 2, 0, &error) ==
        TALWEG_BAD_ARGUMENT);
  CHECK(std::string(error.message) ==
        "found_inf or the scale of gradients is not aligned to a float");
  REQUIRE(talweg_gpu_set_scaling(model.pair.device, 0, 0, nullptr) == TALWEG_OK);
  REQUIRE(model.pair.step() == TALWEG_REGRAD);
  REQUIRE(model.pair.step() == TALWEG_COMPLETED);
  model.pair.require_same();
}

}  // namespace talweg::gpu
