// One tensor of any size: what a rule reduces is what the page on numerics says, from no element to
// more chunks than a block has values, and each element is updated once.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "compiler/ir/sequence.h"
#include "runtime/support/thread_pool.h"
#include "tests/codegen/core_run.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/sample_size.h"

namespace talweg::tests {

namespace {

using builtins::Fold;

constexpr const char* kRule = R"(
rule Scaled {
  state model total
  state tensor inner
  state group most
  step {
    total = sum(grad) per model
    inner = dot(grad, param) per tensor
    most = max(grad) per group
    update = grad / (1 + norm(grad) per model)
  }
}
rule Moved {
  step {
    let origin = param
    param += grad / (1 + norm(grad) per model)
    regrad
    param = origin - grad
  }
}
)";

/// Of elements within their chunk, and chunks within the tensor.
double fold_tensor(Fold fold, const std::vector<double>& a, const std::vector<double>& b = {}) {
  std::vector<double> chunks;
  for (std::size_t first = 0; first < a.size(); first += TALWEG_CHUNK_ELEMENTS) {
    const std::size_t count = std::min<std::size_t>(TALWEG_CHUNK_ELEMENTS, a.size() - first);
    const std::span<const double> of_b =
        b.empty() ? std::span<const double>() : std::span(b).subspan(first, count);
    chunks.push_back(ir::fold_sequence(fold, std::span(a).subspan(first, count), of_b));
  }
  return ir::fold_sequence(fold == Fold::Dot ? Fold::Sum : fold, chunks);
}

/// From no element to more chunks than a block has values.
std::vector<std::uint64_t> sizes() {
  constexpr std::uint64_t kMany = 1 << 20;  // 64 chunks: as many as lanes
  const std::uint64_t most = sample_size(16 * kMany);
  return {0,         1,     1023,      1025,     16'383, 16'384,  16'385,
          kMany - 1, kMany, kMany + 1, most - 1, most,   most + 1};
}

/// What a quotient by `divisor` is multiplied by.
float reciprocal(double divisor) { return static_cast<float>(1 / divisor); }

}  // namespace

TEST_CASE("sizes from 0 past 2^24, at the edges of blocks, chunks, and blocks of chunks") {
  const auto program =
      compile_for(graph_of_rule("m.Scaled", kRule), types::ComputeType::F32, "host");
  support::ThreadPool pool(3);
  for (const std::uint64_t size : sizes()) {
    const std::vector<LinedTensor> tensors = {{{size}}};
    CoreRun<float> run(program, tensors, 1, {support::ThreadPool::function(), &pool, 3});
    const std::vector<float> before(run.param(0), run.param(0) + size);
    Gradients<float> gradients(tensors);
    const std::vector<const void*> given = gradients.of_step(1);
    run.step(given);

    const auto* grad = static_cast<const float*>(given[0]);
    const std::vector<double> grads(grad, grad + size);
    const std::vector<double> params(before.begin(), before.end());
    INFO(size << " elements");
    CHECK(same(*talweg_scalar_state(run.core(), 0, 0), fold_tensor(Fold::Sum, grads)));
    CHECK(same(*talweg_tensor_state(run.core(), 1, 0), fold_tensor(Fold::Dot, grads, params)));
    CHECK(same(*talweg_scalar_state(run.core(), 2, 0), fold_tensor(Fold::Max, grads)));
    const double length = std::sqrt(fold_tensor(Fold::Dot, grads, grads));
    const float factor = reciprocal(1 + length);
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      const float update = grad[i] * factor;
      wrong += run.param(0)[i] == before[i] - update ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("of every size, each element is moved for a new gradient once, and put back once") {
  const auto program =
      compile_for(graph_of_rule("m.Moved", kRule), types::ComputeType::F32, "host");
  support::ThreadPool pool(3);
  for (const std::uint64_t size : sizes()) {
    const std::vector<LinedTensor> tensors = {{{size}}};
    CoreRun<float> run(program, tensors, 1, {support::ThreadPool::function(), &pool, 3});
    const std::vector<float> before(run.param(0), run.param(0) + size);
    Gradients<float> first(tensors), second(tensors);
    const std::vector<const void*> given = first.of_step(1), other = second.of_step(1, 1);
    INFO(size << " elements");
    REQUIRE(run.step(given) == TALWEG_REGRAD);
    const auto* grad = static_cast<const float*>(given[0]);
    const std::vector<double> grads(grad, grad + size);
    const float factor = reciprocal(1 + std::sqrt(fold_tensor(Fold::Dot, grads, grads)));
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      const float move = grad[i] * factor;
      wrong += run.param(0)[i] == before[i] + move ? 0 : 1;
    }
    CHECK(wrong == 0);
    REQUIRE(run.step(other) == TALWEG_COMPLETED);
    const auto* again = static_cast<const float*>(other[0]);
    for (std::uint64_t i = 0; i < size; ++i)
      wrong += run.param(0)[i] == before[i] - again[i] ? 0 : 1;
    CHECK(wrong == 0);
  }
}

}  // namespace talweg::tests
