// Plans of random graphs compute what the interpreter computes, from nothing but what they list.
#include <algorithm>
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

/// What came up, so that the test is known to see it.
struct Seen {
  std::size_t several_loops = 0, several_phases = 0, deep = 0, scratch = 0, early_stores = 0;
  std::size_t sums_of_slower = 0, ends_late = 0;

  void add(const Plan& plan, std::size_t phases_that_store) {
    several_phases += plan.phases.size() > 1;
    deep += plan.phases.size() > 2;
    scratch += !plan.scratch.empty();
    early_stores += phases_that_store > 1;
    sums_of_slower += !plan.partials_of(PartialKind::Tensor).empty() ||
                      !plan.partials_of(PartialKind::Group).empty();
    ends_late += plan.end_phase > 0;
  }
};

/// Passes that write what persists.
std::size_t storing_passes(const Plan& plan) {
  return static_cast<std::size_t>(std::ranges::count_if(plan.phases, [](const Phase& phase) {
    return phase.pass && std::ranges::any_of(phase.pass->streams, [](const Stream& stream) {
             return stream.is_written && stream.kind != StreamKind::Scratch;
           });
  }));
}

void check(const ir::Graph& graph, ComputeType compute, std::uint64_t seed, Seen& seen) {
  const Plan plan = make_plan(graph, compute);
  seen.add(plan, storing_passes(plan));
  INFO("seed " << seed << "\n" << print(plan));
  tests::Random random(seed);
  tests::Loops loops;
  for (int i = 0; i < 6; ++i)
    loops.merge(tests::require_plan_agrees(plan, tests::random_step(graph, compute, random)));
  seen.several_loops += loops.size() > plan.phases.size();
}

}  // namespace

TEST_CASE("plans of random graphs compute what the graphs say") {
  Seen seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const ir::Graph graph =
        passes::run_passes(tests::random_graph(seed, 30 + seed % 120, seed % 3));
    for (const ComputeType compute : {ComputeType::F32, ComputeType::F64})
      check(graph, compute, seed, seen);
  }
  CHECK(seen.several_loops > 20);
  CHECK(seen.several_phases > 200);
  CHECK(seen.deep > 60);
  CHECK(seen.scratch > 10);
  CHECK(seen.early_stores > 20);
  CHECK(seen.sums_of_slower > 60);
  CHECK(seen.ends_late > 20);
}

TEST_CASE("graphs that no pass has seen can be planned") {
  Seen seen;
  for (std::uint64_t seed = 5000; seed < 5100; ++seed)
    check(tests::random_graph(seed, 80, seed % 3), ComputeType::F32, seed, seen);
  CHECK(seen.several_phases > 40);
}

}  // namespace talweg::plan
