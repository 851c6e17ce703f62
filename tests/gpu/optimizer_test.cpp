// Optimizers on the pretended device leave the bits that those of the host leave.
#include <catch2/catch.hpp>

#include "tests/gpu/model_pair.h"
#include "tests/ir/compile_text.h"
#include "tests/sample_size.h"

namespace talweg::gpu {

namespace {

constexpr auto kF32 = types::ComputeType::F32;
constexpr auto kF64 = types::ComputeType::F64;

std::vector<PairTensor> some_tensors() {
  return {{{7}, 0}, {{3, 5}, 1}, {{0}, 0}, {{}, 1}, {{1100}, 0}, {{2, 3, 4}, 1}};
}

/// Of those that the rule takes: some ask for matrices.
std::vector<PairTensor> tensors_for(const PairRule& rule) {
  return rule.takes(some_tensors()) ? some_tensors()
                                    : std::vector<PairTensor>{{{4, 6}, 0}, {{33, 40}, 1}, {{1, 5}}};
}

}  // namespace

TEST_CASE("a step of AdamW on a device") {
  DriverSession session;
  const PairRule rule("AdamW", kF32);
  ModelPair pair(rule, some_tensors(), 2);
  pair.require_same();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(pair.step() == TALWEG_COMPLETED);
    pair.require_same();
  }
}

TEST_CASE("every rule of the library on a device") {
  DriverSession session;
  std::uint64_t number = 0;
  for (const std::string& name : tests::library_rules()) {
    for (const auto compute : {kF32, kF64}) {
      if (!tests::is_in_sample(number++)) continue;
      INFO(name << ", " << to_text(compute));
      const PairRule rule(name, compute);
      ModelPair pair(rule, tensors_for(rule), 2);
      for (int i = 0; i < 5; ++i) {
        std::vector<std::size_t> absent;
        if (i % 2 == 1) absent = {static_cast<std::size_t>(i % 3)};
        while (pair.step(absent) == TALWEG_REGRAD) pair.require_same();
        pair.require_same();
      }
    }
  }
}

}  // namespace talweg::gpu
