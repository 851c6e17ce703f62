// Any number of threads, the same bits.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "runtime/optimizer/step.h"
#include "tests/runtime/fake_rule.h"

namespace talweg::tests {

TEST_CASE("the number of threads changes no bit") {
  const std::vector<std::size_t> sizes{1, 70000, 0, 16384, 5, 200001, 16385, 3};
  std::string expected;
  for (const std::uint32_t threads : {0U, 1U, 2U, 3U, 8U}) {
    FakeRule<float> rule;
    FakeModel<float> model(sizes);
    auto optimizer = make_optimizer(rule, model, {0, 1, 0, 1, 0, 1, 0, 1}, 2, threads);
    for (int step = 0; step < 4; ++step) {
      auto gradients = model.gradients();
      // Who takes part changes from step to step, and with it how chunks are shared out.
      if (step == 1) gradients[5] = nullptr;
      if (step == 2) std::fill(gradients.begin(), gradients.begin() + 5, nullptr);
      REQUIRE(optimizer.step(gradients).ok());
    }
    const std::string bytes = snapshot(optimizer, model);
    if (expected.empty()) expected = bytes;
    CHECK(bytes == expected);
  }
}

namespace {

/// A parallel_for that notes what it was asked for, and runs parts backwards.
struct Recorder {
  std::uint32_t calls = 0;
  std::uint32_t parts = 0;

  static void run(void* context, std::uint32_t count, void (*task)(void*, std::uint32_t),
                  void* argument) {
    auto& recorder = *static_cast<Recorder*>(context);
    ++recorder.calls;
    recorder.parts = count;
    for (std::uint32_t i = count; i-- > 0;) task(argument, i);
  }
};

/// A rule whose pass only notes the ranges of chunks it was called with.
struct RangeRule {
  struct Range {
    std::uint32_t begin, end;
    std::uint64_t elements;
  };
  std::vector<Range> ranges;
  talweg_phase phase{};
  talweg_image image{};

  RangeRule() {
    phase.pass = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                    std::uint32_t end) {
      std::uint64_t elements = 0;
      for (std::uint32_t i = begin; i < end; ++i)
        if (args->pointers[2 * args->chunks[i].tensor_index + 1] != nullptr)
          elements += args->chunks[i].element_count;
      static_cast<RangeRule*>(self)->ranges.push_back({begin, end, elements});
    };
    image.abi_version = TALWEG_ABI_VERSION;
    image.compute_dtype = TALWEG_F32;
    image.name = "Ranges";
    image.step.phases = &phase;
    image.step.phase_count = 1;
    image.step.origin_stream = UINT32_MAX;
    image.stream_count = 2;
    image.uses_gradient = 1;
    image.step.self = this;
  }
};

}  // namespace

TEST_CASE("parts are contiguous, cover every chunk once and have about equal work") {
  RangeRule rule;
  Recorder recorder;
  std::vector<float> memory(2 * 600000);
  const std::uint64_t sizes[4] = {300000, 100, 200000, 50000};
  std::vector<talweg_tensor> tensors(4);
  const char* names[4] = {"a", "b", "c", "d"};
  std::size_t offset = 0;
  for (int i = 0; i < 4; ++i) {
    tensors[i].name = names[i];
    tensors[i].shape = &sizes[i];
    tensors[i].rank = 1;
    tensors[i].param = memory.data() + offset;
    offset += sizes[i];
  }
  talweg_optimizer_spec spec{};
  spec.image = &rule.image;
  spec.tensors = tensors.data();
  spec.tensor_count = 4;
  spec.group_count = 1;
  spec.parallel_for = Recorder::run;
  spec.parallel_context = &recorder;
  spec.thread_count = 4;
  talweg_optimizer_sizes needed{};
  talweg_error error{};
  REQUIRE(talweg_measure(&spec, &needed, &error) == TALWEG_OK);
  CHECK(needed.state_bytes == 0);
  void* control = std::aligned_alloc(64, (needed.control_bytes + 63) / 64 * 64);
  talweg_optimizer* optimizer = nullptr;
  REQUIRE(talweg_create(&spec, control, nullptr, &optimizer, &error) == TALWEG_OK);

  const float* grad = memory.data() + 600000;
  const auto run = [&](std::vector<const void*> gradients) {
    rule.ranges.clear();
    talweg_step_inputs inputs{};
    inputs.gradients = gradients.data();
    REQUIRE(talweg_step(optimizer, &inputs, nullptr, &error) == TALWEG_OK);
    std::sort(rule.ranges.begin(), rule.ranges.end(),
              [](const auto& a, const auto& b) { return a.begin < b.begin; });
    std::uint32_t end = 0;
    std::uint64_t total = 0;
    for (const auto& range : rule.ranges) {
      CHECK(range.begin == end);
      CHECK(range.end > range.begin);
      end = range.end;
      total += range.elements;
    }
    for (const auto& range : rule.ranges)
      CHECK(range.elements <= total / rule.ranges.size() + 2 * 16384);
    return total;
  };
  CHECK(run({grad, grad, grad, grad}) == 550100);
  CHECK(recorder.parts == 4);
  CHECK(rule.ranges.size() == 4);
  // A large frozen tensor leaves nobody without work.
  CHECK(run({nullptr, grad, grad, grad}) == 250100);
  CHECK(rule.ranges.size() == 4);
  const std::uint32_t calls = recorder.calls;
  CHECK(run({nullptr, grad, nullptr, nullptr}) == 100);
  CHECK(recorder.calls == calls);  // too little to wake anybody for
  std::free(control);
}

}  // namespace talweg::tests
