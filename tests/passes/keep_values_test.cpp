// A pass keeps every bit: random graphs are interpreted before and after, on random and special
// inputs.
#include <catch2/catch.hpp>

#include "compiler/ir/text.h"
#include "compiler/ir/verify.h"
#include "compiler/passes/pass.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/whole_step.h"

namespace talweg::passes {

namespace {

using types::ComputeType;

void require_same_outcome(const ir::Graph& before, const ir::Graph& after, std::uint64_t seed) {
  for (const ComputeType compute : {ComputeType::F32, ComputeType::F64}) {
    tests::Random random(seed);
    for (int i = 0; i < 4; ++i) {
      const tests::StepCase step = tests::random_step(before, compute, random);
      REQUIRE(
          tests::same(tests::outcome(before, compute, step), tests::outcome(after, compute, step)));
    }
  }
}

std::size_t total_nodes(const Pass& pass, std::size_t& before) {
  std::size_t after = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const ir::Graph graph = tests::random_graph(seed, 60, seed % 3);
    before += graph.nodes.size();
    after += pass.run(graph).nodes.size();
  }
  return after;
}

}  // namespace

TEST_CASE("every pass keeps the values of random graphs") {
  for (const Pass& pass : pipeline()) {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      const ir::Graph before = tests::random_graph(seed, 40 + seed, seed % 3);
      const ir::Graph after = pass.run(before);
      INFO(pass.name << " on seed " << seed << "\n" << ir::print(before) << ir::print(after));
      const auto faults = ir::find_faults(after);
      if (!faults.empty()) FAIL(faults.front().message);
      require_same_outcome(before, after, seed);
    }
  }
}

TEST_CASE("the whole pipeline keeps the values of random graphs") {
  for (std::uint64_t seed = 1000; seed < 1400; ++seed) {
    const ir::Graph before = tests::random_graph(seed, 30 + seed % 150, seed % 3);
    const ir::Graph after = run_passes(before);
    INFO("seed " << seed << "\n" << ir::print(before) << ir::print(after));
    require_same_outcome(before, after, seed);
    CHECK(after.states.size() == before.states.size());
    CHECK(after.stores.size() == before.stores.size());
  }
}

TEST_CASE("the passes find something to do") {
  for (const char* name : {"merge-duplicates", "simplify-flush", "drop-dead-nodes"}) {
    const Pass* pass = find_pass(name);
    REQUIRE(pass);
    std::size_t before = 0;
    CHECK(total_nodes(*pass, before) < before);
  }
  std::size_t before = 0;
  CHECK(total_nodes(*find_pass("expand-scalar-division"), before) > before);
  CHECK(find_pass("no-such-pass") == nullptr);
}

TEST_CASE("running the passes again changes nothing that they remove") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const ir::Graph once = run_passes(tests::random_graph(seed, 100, seed % 3));
    const ir::Graph twice = run_passes(once);
    CHECK(twice.nodes.size() <= once.nodes.size());
  }
}

TEST_CASE("an observer sees every pass with its graph") {
  std::vector<std::string> names;
  std::size_t last_size = 0;
  const ir::Graph result =
      run_passes(tests::random_graph(3, 50), [&](std::string_view name, const ir::Graph& graph) {
        names.emplace_back(name);
        last_size = graph.nodes.size();
      });
  REQUIRE(names.size() == pipeline().size());
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(names[i] == pipeline()[i].name);
  CHECK(last_size == result.nodes.size());
}

}  // namespace talweg::passes
