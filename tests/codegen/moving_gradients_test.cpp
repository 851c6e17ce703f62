// Gradients that lie elsewhere in each step, aligned to an element and to no vector: the same bits.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/support/thread_pool.h"
#include "tests/codegen/core_run.h"
#include "tests/codegen/lined_rules.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/reducing_rules.h"

namespace talweg::tests {

namespace {

/// Copies of gradients at new addresses: each step's memory is kept, so that no address comes
/// twice, and what the steps before left is made unreadable as numbers.
template <class T>
class Moved {
 public:
  /// Copies of them, each some elements past a cache line.
  std::vector<const void*> copy(const std::vector<const void*>& gradients,
                                const std::vector<LinedTensor>& tensors, std::uint32_t step) {
    for (std::vector<T>& old : memory_) std::fill(old.begin(), old.end(), T(1e30));
    std::vector<const void*> pointers;
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const std::uint64_t count = elements_of(tensors[t].shape);
      constexpr std::size_t kPerLine = 64 / sizeof(T);
      std::vector<T>& memory = memory_.emplace_back(count + 2 * kPerLine);
      const std::size_t place = (step * 5 + t) % kPerLine;
      T* start = memory.data();
      while (reinterpret_cast<std::uintptr_t>(start) / sizeof(T) % kPerLine != place) ++start;
      if (place % 4 != 0) ++unaligned;
      if (gradients[t] != nullptr && count > 0) std::memcpy(start, gradients[t], count * sizeof(T));
      pointers.push_back(gradients[t] == nullptr ? nullptr : start);
    }
    return pointers;
  }

  int unaligned = 0;

 private:
  std::vector<std::vector<T>> memory_;
};

template <class T>
void require_same_wherever(const ir::Graph& graph, std::vector<LinedTensor> tensors,
                           const char* what) {
  constexpr auto kCompute = sizeof(T) == 4 ? types::ComputeType::F32 : types::ComputeType::F64;
  tensors[0].absent_in_step = 2;
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph, kCompute, isa);
    support::ThreadPool pool(3);
    const Schedule schedule{support::ThreadPool::function(), &pool, 3};
    CoreRun<T> still(program, tensors, 2, schedule);
    CoreRun<T> moving(program, tensors, 2, schedule);
    Gradients<T> gradients(tensors);
    Moved<T> moved;
    for (std::uint32_t step = 1; step <= 6; ++step) {
      const std::vector<const void*> given = gradients.of_step(step);
      still.step(given);
      moving.step(moved.copy(given, tensors, step));
      const std::string difference = first_difference(still.everything(), moving.everything());
      if (!difference.empty())
        FAIL(
            fmt::format("{}, {}, {}, step {}: {}", what, to_text(kCompute), isa, step, difference));
    }
    CHECK(moved.unaligned > 10);
  }
}

void require_same_wherever(const char* rule, const std::string& module,
                           const std::vector<Shape>& shapes) {
  const ir::Graph graph = graph_of_rule(rule, module);
  require_same_wherever<float>(graph, lined_tensors(shapes), rule);
  require_same_wherever<double>(graph, lined_tensors(shapes), rule);
}

}  // namespace

TEST_CASE("where gradients lie, and that it changes, changes no bit") {
  const std::vector<Shape> flat = {{40'001}, {7}, {1023}, {0}, {33}, {16'385}, {}};
  require_same_wherever("AdamW", "", flat);
  require_same_wherever("m.ClipByGlobalNorm | m.Lamb", kReducingRules, flat);
  require_same_wherever("m.Mars | AdamW", kReducingRules, flat);
  require_same_wherever("m.Factored", lined_rules("last two"),
                        {{70, 131}, {3, 5}, {9}, {2, 65, 17}, {5, 1030}});
}

}  // namespace talweg::tests
