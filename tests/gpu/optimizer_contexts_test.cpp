// Optimizers of several devices and contexts, and those that are not made.
#include <catch2/catch.hpp>
#include <memory>

#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;

std::vector<PairTensor> three_tensors() { return {{{7}, 0}, {{3, 5}, 1}, {{40}, 1}}; }

void begin_step(ModelPair& pair) {
  talweg_error error{};
  const talweg_status status = pair.step_device(true, &error);
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(status == TALWEG_OK);
}

void wait(ModelPair& pair) {
  talweg_error error{};
  const talweg_status status = talweg_gpu_wait(pair.device, nullptr, &error);
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(status == TALWEG_OK);
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
    spec.optimizer = *talweg_get_spec(first.device);
    spec.optimizer.image = &rule.host->image();
    spec.ptx = rule.ptx.c_str();
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
  const Stream stream;
  talweg_gpu_spec spec{};
  std::string message;
  spec.optimizer = *talweg_get_spec(pair.device);
  spec.optimizer.image = &rule.host->image();
  spec.ptx = rule.ptx.c_str();
  CHECK(refusal(spec, message) == TALWEG_OK);
  spec.stream = stream.handle;
  const Graph graph(stream, [&] {
    CHECK(refusal(spec, message) == TALWEG_NOT_SERVED);
    CHECK(message == "an optimizer cannot be made while its stream is being captured");
  });
  fake_cuda_set_device(0, "Old GPU", 7, 5, 40, std::size_t{8} << 30);
  CHECK(refusal(spec, message) == TALWEG_DEVICE_FAILED);
  CHECK(message.find("CUDA_ERROR_INVALID_PTX") != std::string::npos);
  CHECK(message.find("SM version specified by .target is higher") != std::string::npos);
  REQUIRE(talweg_cuda_leave(session.context, nullptr) == TALWEG_CUDA_OK);
  CHECK(refusal(spec, message) == TALWEG_BAD_ARGUMENT);
  CHECK(message == "no context of the CUDA driver is given, and none is current");
  REQUIRE(talweg_cuda_enter(session.context, nullptr) == TALWEG_CUDA_OK);
}

}  // namespace talweg::gpu
