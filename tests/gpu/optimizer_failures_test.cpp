// Every call of the driver fails once, wherever an optimizer on a device makes one: it says so,
// nothing is left behind, and it goes on where nothing was half done.
#include <catch2/catch.hpp>
#include <functional>

#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;
constexpr int kUnknown = 999, kOutOfMemory = 2;

std::vector<PairTensor> two_tensors() { return {{{7}, 0}, {{3, 5}, 1}}; }

std::vector<std::size_t> what_is_there() {
  std::vector<std::size_t> counts;
  for (const char* what : {"allocations", "bytes", "pinned", "modules", "streams", "events"})
    counts.push_back(fake_cuda_count(what));
  return counts;
}

bool says(const talweg_error& error, const char* text) {
  return std::string(error.message).find(text) != std::string::npos;
}

/// Another optimizer of the pair's parameters.
talweg_status create(const ModelPair& pair, const PairRule& rule, talweg_optimizer** made,
                     talweg_error* error) {
  talweg_gpu_spec spec{};
  spec.optimizer = *talweg_get_spec(pair.device);
  spec.optimizer.image = &rule.host->image();
  spec.ptx = rule.ptx.c_str();
  return talweg_gpu_create(&spec, made, error);
}

using Act = std::function<talweg_status(ModelPair&, talweg_optimizer*, talweg_error*)>;

talweg_status step(ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
  return optimizer == pair.host ? pair.step_host(nullptr, error) : pair.step_device(true, error);
}

/// An optimizer that is broken says so from then on, whatever it is asked.
void require_broken(ModelPair& pair) {
  for (int i = 0; i < 2; ++i) {
    talweg_error error{};
    REQUIRE(pair.step_device(true, &error) == TALWEG_DEVICE_FAILED);
    REQUIRE(says(error, "CUDA_ERROR_UNKNOWN"));
    REQUIRE(says(error,
                 "; parameters and states may be between two steps: restore them and make "
                 "the optimizer anew"));
    REQUIRE(talweg_gpu_wait(pair.device, nullptr, nullptr) == TALWEG_DEVICE_FAILED);
    REQUIRE(talweg_reset(pair.device, &error) == TALWEG_DEVICE_FAILED);
    REQUIRE(talweg_get_counters(pair.device) != nullptr);
  }
}

/// What `act` does fails at its first call of the driver, its second, ... until all is well. The
/// number of failures after which the optimizer was broken.
int fail_everywhere(const PairRule& rule, const Act& prepare, const Act& act,
                    const std::vector<PairTensor>& tensors = two_tensors()) {
  int broken = 0;
  bool is_due = false;
  for (int n = 1; !is_due; ++n) {
    DriverSession session;
    {
      ModelPair pair(rule, tensors, 2);
      pair.draw_gradients();
      for (talweg_optimizer* optimizer : {pair.host, pair.device})
        REQUIRE(prepare(pair, optimizer, nullptr) == TALWEG_OK);
      talweg_error error{};
      fake_cuda_fail(nullptr, n, kUnknown);
      talweg_status status = act(pair, pair.device, &error);
      is_due = fake_cuda_failure_is_due() != 0;
      fake_cuda_fail(nullptr, 0, 0);
      const std::string call = fake_cuda_log_line(fake_cuda_log_lines() - 1);
      INFO("call " << n << ", last " << call << ": " << error.message);
      REQUIRE((is_due || status == TALWEG_DEVICE_FAILED ||
               talweg_gpu_wait(pair.device, nullptr, &error) == TALWEG_DEVICE_FAILED));
      if (!is_due) REQUIRE(says(error, "CUDA_ERROR_UNKNOWN (unknown error)"));
      if (says(error, "anew")) {
        ++broken;
        require_broken(pair);
      } else {
        if (status == TALWEG_DEVICE_FAILED) status = act(pair, pair.device, &error);
        REQUIRE(status == TALWEG_OK);
        REQUIRE(act(pair, pair.host, nullptr) == TALWEG_OK);
        pair.require_same();
        for (int i = 0; i < 2 || talweg_is_waiting(pair.host) != 0; ++i) pair.step();
        pair.require_same();
      }
    }
    REQUIRE(what_is_there() == std::vector<std::size_t>(6));
  }
  return broken;
}

talweg_status nothing(ModelPair&, talweg_optimizer*, talweg_error*) { return TALWEG_OK; }

}  // namespace

TEST_CASE("creation that fails leaves nothing") {
  DriverSession session;
  const PairRule rule("AdamW | Ema", kF32);
  ModelPair pair(rule, two_tensors(), 2);
  const std::string params = pair.device_params[0].read();
  const std::vector<std::size_t> before = what_is_there();
  for (const int result : {kUnknown, kOutOfMemory}) {
    bool is_due = false;
    for (int n = 1; !is_due; ++n) {
      talweg_optimizer* made = nullptr;
      talweg_error error{};
      fake_cuda_fail(nullptr, n, result);
      const talweg_status status = create(pair, rule, &made, &error);
      is_due = fake_cuda_failure_is_due() != 0;
      fake_cuda_fail(nullptr, 0, 0);
      INFO(n << ": " << error.message);
      if (made != nullptr) {  // all but leaving the context is done
        REQUIRE(status == TALWEG_OK);
        talweg_gpu_destroy(made);
      } else {
        REQUIRE(status == TALWEG_DEVICE_FAILED);
        REQUIRE(
            says(error, result == kUnknown ? "CUDA_ERROR_UNKNOWN" : "CUDA_ERROR_OUT_OF_MEMORY"));
      }
      REQUIRE(what_is_there() == before);
      talweg_cuda_context current = nullptr;
      REQUIRE(cuCtxGetCurrent(&current) == 0);
      REQUIRE(current == session.context);
    }
  }
  REQUIRE(pair.device_params[0].read() == params);
}

TEST_CASE("a device without enough memory") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  ModelPair pair(rule, {{{50000}, 0}});
  const std::vector<std::size_t> before = what_is_there();
  fake_cuda_set_device(0, "Small GPU", 9, 0, 4, before[1] + 300000);
  talweg_optimizer* made = nullptr;
  talweg_error error{};
  REQUIRE(create(pair, rule, &made, &error) == TALWEG_DEVICE_FAILED);
  REQUIRE(std::string(error.message).find("cuMemAlloc_v2(") == 0);
  REQUIRE(says(error, " bytes): CUDA_ERROR_OUT_OF_MEMORY (out of memory)"));
  REQUIRE(what_is_there() == before);
}

TEST_CASE("steps fail at every call") {
  const PairRule adamw("AdamW", kF32), ema("AdamW | Ema", kF32);
  // What was not launched has changed nothing; from the second launch on, it is between two steps.
  const int first = fail_everywhere(adamw, nothing, step);
  CHECK(first > 0);
  CHECK(fail_everywhere(adamw, step, step) == first);
  CHECK(fail_everywhere(
            adamw,
            [](ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
              if (optimizer == pair.host) return TALWEG_OK;
              REQUIRE(pair.step() == TALWEG_COMPLETED);
              pair.set_hyper("lr", 0.5);
              pair.draw_gradients();
              return talweg_gpu_wait(optimizer, nullptr, error);
            },
            step) == first);
  CHECK(fail_everywhere(ema, nothing, step) > 0);  // led
  CHECK(fail_everywhere(ema, step, step) > 0);
}

TEST_CASE("steps that ask for another gradient fail at every call") {
  const PairRule sam("SAM | AdamW", kF32), looksam("LookSAM(k = 2) | AdamW", kF32);
  for (const PairRule* rule : {&sam, &looksam}) {
    CHECK(fail_everywhere(*rule, nothing, step) > 0);
    CHECK(fail_everywhere(*rule, step, step) > 0);
    // One that is abandoned, too.
    const auto abandon = [](ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
      talweg_abandon(optimizer);
      return optimizer == pair.host ? TALWEG_OK : talweg_gpu_wait(optimizer, nullptr, error);
    };
    CHECK(fail_everywhere(*rule, step, abandon) > 0);
    const auto wait_again = [](ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
      do REQUIRE(step(pair, optimizer, error) == TALWEG_OK);
      while (talweg_is_waiting(optimizer) != 0);
      do REQUIRE(step(pair, optimizer, error) == TALWEG_OK);
      while (talweg_is_waiting(optimizer) == 0);
      return TALWEG_OK;
    };
    CHECK(fail_everywhere(*rule, wait_again, abandon) > 0);
  }
}

TEST_CASE("steps with inputs of all kinds fail at every call") {
  const PairRule rule("m.Inputs", kF32, R"(
rule Inputs {
  require rank >= 2
  input model loss
  input matrix factor
  input row left
  step { update = loss * grad * factor * left }
}
)");
  for (const bool places_numbers : {false, true}) {
    const auto prepare = [&](ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
      if (optimizer == pair.host) return TALWEG_OK;
      pair.place_numbers(places_numbers);
      pair.step();
      return talweg_gpu_wait(optimizer, nullptr, error);
    };
    CHECK(fail_everywhere(rule, prepare, step, {{{3, 5}, 0}, {{2, 3, 4}, 1}}) > 0);
  }
}

TEST_CASE("what waits for steps fails at every call, and is done again") {
  const PairRule rule("DAdaptSGD", kF32);
  const auto wait = [](ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
    return optimizer == pair.host ? TALWEG_OK : talweg_gpu_wait(optimizer, nullptr, error);
  };
  const auto count = [](ModelPair&, talweg_optimizer* optimizer, talweg_error*) {
    return talweg_get_counters(optimizer) != nullptr ? TALWEG_OK : TALWEG_NOT_YET;
  };
  CHECK(fail_everywhere(rule, step, wait) == 0);
  CHECK(fail_everywhere(rule, step, count) == 0);
}

TEST_CASE("hypers that could not be sent are sent again") {
  const PairRule rule("AdamW", kF32);
  const auto send = [](ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
    return optimizer == pair.host ? TALWEG_OK : talweg_gpu_send_hypers(optimizer, error);
  };
  const auto set = [](ModelPair& pair, talweg_optimizer* optimizer, talweg_error*) {
    if (optimizer == pair.device) pair.set_hyper("lr", 0.5);
    return TALWEG_OK;
  };
  CHECK(fail_everywhere(rule, set, send) == 0);
}

TEST_CASE("views and resets fail at every call") {
  const PairRule rule("AdamW | Ema", kF32);
  const auto read = [](ModelPair& pair, talweg_optimizer* optimizer, talweg_error* error) {
    if (optimizer == pair.host) return TALWEG_OK;
    std::vector<void*> to;  // gradients are drawn anew in each step
    for (const DeviceBytes& there : pair.device_gradients)
      to.push_back(reinterpret_cast<void*>(there.address));
    return talweg_read_view(optimizer, 0, to.data(), error);
  };
  const auto reset = [](ModelPair&, talweg_optimizer* optimizer, talweg_error* error) {
    return talweg_reset(optimizer, error);
  };
  CHECK(fail_everywhere(rule, step, read) > 0);
  CHECK(fail_everywhere(rule, step, reset) > 0);
}

TEST_CASE("destruction goes through to its end, whatever fails") {
  const PairRule rule("AdamW | Ema", kF32);
  bool is_due = false;
  for (int n = 1; !is_due; ++n) {
    DriverSession session;
    {
      ModelPair pair(rule, two_tensors(), 2);
      for (int i = 0; i < 2; ++i) REQUIRE(pair.step() == TALWEG_COMPLETED);
      REQUIRE(pair.step_device() == TALWEG_OK);
      fake_cuda_fail(nullptr, n, kUnknown);
      talweg_gpu_destroy(std::exchange(pair.device, nullptr));
      is_due = fake_cuda_failure_is_due() != 0;
      fake_cuda_fail(nullptr, 0, 0);
    }
    // At most the one thing that could not be released is left.
    INFO(n);
    REQUIRE(fake_cuda_count("allocations") + fake_cuda_count("pinned") +
                fake_cuda_count("modules") + fake_cuda_count("events") <=
            (is_due ? 0 : 1));
  }
}

}  // namespace talweg::gpu
