// Plans of random graphs compute what the interpreter computes, from nothing but what they list.
#include <catch2/catch.hpp>

#include "compiler/ir/text.h"
#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/whole_step.h"
#include "tests/plan/run_plan.h"

namespace talweg::plan {

namespace {

using types::ComputeType;

/// Returns how many different loops ran.
std::size_t check(const ir::Graph& graph, ComputeType compute, std::uint64_t seed) {
  const Plan plan = make_plan(graph, compute);
  INFO("seed " << seed << "\n" << print(plan));
  tests::Random random(seed);
  tests::Loops loops;
  for (int i = 0; i < 6; ++i)
    loops.merge(tests::require_plan_agrees(plan, tests::random_step(graph, compute, random)));
  return loops.size();
}

}  // namespace

TEST_CASE("plans of random graphs compute what the graphs say") {
  std::size_t more_than_one = 0;
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    const ir::Graph graph = passes::run_passes(tests::random_graph(seed, 30 + seed % 120));
    for (const ComputeType compute : {ComputeType::F32, ComputeType::F64})
      more_than_one += check(graph, compute, seed) > 1;
  }
  CHECK(more_than_one > 20);
}

TEST_CASE("graphs that no pass has seen can be planned") {
  for (std::uint64_t seed = 5000; seed < 5100; ++seed)
    check(tests::random_graph(seed, 80), ComputeType::F32, seed);
}

}  // namespace talweg::plan
