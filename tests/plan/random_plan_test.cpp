// Plans of random graphs compute what the interpreter computes, from nothing but what they list.
#include <catch2/catch.hpp>
#include <set>

#include "compiler/ir/text.h"
#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "tests/ir/random_graph.h"
#include "tests/plan/run_plan.h"

namespace talweg::plan {

namespace {

using types::ComputeType;

std::uint32_t stream_of(const ElementPass& pass, const ir::Store& store) {
  const StreamKind kind =
      store.target == ir::StoreTarget::Param ? StreamKind::Param : StreamKind::State;
  for (std::uint32_t i = 0; i < pass.streams.size(); ++i)
    if (pass.streams[i].kind == kind && pass.streams[i].index == store.index) return i;
  FAIL("a store without a stream");
  return 0;
}

/// What was in a place before the step: it stays where a plan does not write.
double before(const ir::Store& store, const ir::ElementContext& element) {
  return store.target == ir::StoreTarget::Param ? element.param : element.states[store.index];
}

void require_same(const Plan& plan, const tests::Outcome& outcome, const ir::ScalarContext& scalars,
                  const ir::ElementContext& element) {
  ir::Machine machine(plan.graph, plan.compute);
  machine.run_scalars(scalars);
  machine.run_element(element);
  for (const ir::Store& store : plan.graph.stores) {
    const double expected = machine[store.value].number;
    if (store.target == ir::StoreTarget::State &&
        plan.graph.states[store.index].rate != ir::Rate::Element) {
      REQUIRE(tests::same(outcome.states.at(store.index), expected));
      continue;
    }
    const auto written = outcome.streams.find(stream_of(plan.passes[0], store));
    const double given =
        written == outcome.streams.end() ? before(store, element) : written->second;
    REQUIRE(tests::same(given, expected));
  }
  for (std::uint32_t i = 0; i < plan.graph.hypers.size(); ++i) {
    const ir::HyperInfo& hyper = plan.graph.hypers[i];
    if (hyper.bound.valid())
      REQUIRE(tests::same(outcome.bound.at(i).number, machine[hyper.bound].number));
  }
}

/// Returns how many different loops ran.
std::size_t check(const ir::Graph& graph, ComputeType compute, std::uint64_t seed) {
  const Plan plan = make_plan(graph, compute);
  INFO("seed " << seed << "\n" << print(plan));
  tests::Random random(seed);
  std::set<std::size_t> versions;
  for (int i = 0; i < 12; ++i) {
    const auto scalars = tests::random_scalars(graph, random);
    const auto element = tests::random_element(graph, compute, random);
    const tests::Outcome outcome = tests::run_plan(plan, scalars, element);
    versions.insert(outcome.version);
    require_same(plan, outcome, scalars, element);
  }
  return versions.size();
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
