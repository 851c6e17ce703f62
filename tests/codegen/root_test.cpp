// Square roots in float32 are correctly rounded where a target computes them from estimates.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "compiler/targets/target.h"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/sample_graphs.h"

namespace talweg::tests {

namespace {

/// Every n-th half of a binade is tested; all of them with TALWEG_ALL_ROOTS set (some 30 s).
std::uint32_t block_stride() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 61;
#else
  return std::getenv("TALWEG_ALL_ROOTS") == nullptr ? 7 : 1;
#endif
}

/// sqrt(a) by the image of operation_graph(Sqrt), which takes the root of the gradient.
void run_root(const talweg_image& image, std::vector<float>& param, std::vector<float>& a,
              std::vector<float>& result) {
  void* const pointers[] = {param.data(), a.data(), a.data(), result.data()};
  run_only_phase(image, pointers, a.size());
}

bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

}  // namespace

TEST_CASE("roots of float32 from estimates are correctly rounded") {
  constexpr std::uint32_t kBlock = 1u << 22;
  std::vector<float> param(kBlock), a(kBlock), result(kBlock);
  for (const std::string& isa : isas_here()) {
    // The others use the processor's own root.
    if (targets::find_target(isa)->shape().float32_vectors == nullptr) continue;
    const auto program =
        compile_for(operation_graph(builtins::Op::Sqrt), types::ComputeType::F32, isa);
    std::uint64_t wrong = 0;
    for (std::uint32_t block = 0; block < 1024; block += block_stride()) {
      for (std::uint32_t i = 0; i < kBlock; ++i) a[i] = std::bit_cast<float>(block * kBlock + i);
      run_root(program->image(), param, a, result);
      for (std::uint32_t i = 0; i < kBlock; ++i) wrong += same(result[i], std::sqrt(a[i])) ? 0 : 1;
    }
    INFO(isa);
    CHECK(wrong == 0);
  }
}

// The sequence of emit_root(), for every mantissa and estimates all over the stated bound: what
// holds on this processor holds on any whose estimate keeps the bound.
TEST_CASE("roots from estimates are right for any estimate within 2^-14") {
  std::uint64_t wrong = 0;
  for (std::uint32_t bits = std::bit_cast<std::uint32_t>(1.0F);
       bits < std::bit_cast<std::uint32_t>(4.0F); ++bits) {
    const float x = std::bit_cast<float>(bits);
    const float truth = std::sqrt(x);
    const double reciprocal = 1 / std::sqrt(static_cast<double>(x));
    for (const double error : std::array{-0x1p-14, -0x1.3p-15, 0x1.7p-16, 0x1p-14}) {
      const auto y = static_cast<float>(reciprocal * (1 + error));
      float g = x * y, h = y * 0.5F;
      const float r = std::fma(-g, h, 0.5F);
      g = std::fma(g, r, g);
      h = std::fma(h, r, h);
      wrong += std::fma(std::fma(-g, g, x), h, g) == truth ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

}  // namespace talweg::tests
