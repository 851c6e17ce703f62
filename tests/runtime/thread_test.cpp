// Any number of threads, the same bits.
#include <algorithm>
#include <catch2/catch.hpp>
#include <tuple>

#include "tests/runtime/c_optimizer.h"
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

/// A rule whose pass only notes the ranges of chunks it was called with.
struct RangeRule : HandWritten<RangeRule> {
  struct Range {
    std::uint32_t begin, end;
    std::uint64_t elements;
  };
  std::vector<Range> ranges;
  talweg_phase phase{};

  RangeRule() : HandWritten("Ranges", TALWEG_F32, 2) {
    phase.pass = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                    std::uint32_t end) {
      std::uint64_t elements = 0;
      for (std::uint32_t i = begin; i < end; ++i)
        if (streams_of(args, 2, args->chunks[i].tensor_index) != nullptr)
          elements += args->chunks[i].element_count;
      of(self).ranges.push_back({begin, end, elements});
    };
    set_phase(phase);
  }
};

}  // namespace

TEST_CASE("parts are contiguous, cover every chunk once and have about equal work") {
  RangeRule rule;
  Backwards parts;
  std::vector<float> memory(2 * 600000);
  std::vector<optimizer::Tensor> tensors(4);
  float* next = memory.data();
  for (const auto& [t, name, size] :
       {std::tuple{0, "a", 300000}, {1, "b", 100}, {2, "c", 200000}, {3, "d", 50000}}) {
    tensors[t].name = name;
    tensors[t].shape = {static_cast<std::uint64_t>(size)};
    tensors[t].param = next;
    next += size;
  }
  COptimizer optimizer(rule.image, tensors, parts, 4);
  CHECK(optimizer.sizes().state_bytes == 0);

  const float* grad = memory.data() + 600000;
  const auto run = [&](const std::vector<const void*>& gradients) {
    rule.ranges.clear();
    optimizer.step(gradients);
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
  CHECK(parts.counts.back() == 4);
  CHECK(rule.ranges.size() == 4);
  // A large frozen tensor leaves nobody without work.
  CHECK(run({nullptr, grad, grad, grad}) == 250100);
  CHECK(rule.ranges.size() == 4);
  const std::size_t calls = parts.counts.size();
  CHECK(run({nullptr, grad, nullptr, nullptr}) == 100);
  CHECK(parts.counts.size() == calls);  // too little to wake anybody for
}

}  // namespace talweg::tests
