// Phases and domains of small rules, node by node.
#include "compiler/ir/phases.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/ir/compile_text.h"

namespace talweg::ir {

namespace {

using builtins::Fold;
using Phases = std::vector<std::uint32_t>;

Graph graph_of(const std::string& text) { return tests::graph_of_rule("m.R", text); }

/// Of the reductions, in the order of their nodes.
Phases reduction_phases(const Graph& graph) {
  const Phases phases = find_phases(graph);
  Phases found;
  for (const NodeId id : find_reductions(graph)) found.push_back(phases[id.index]);
  return found;
}

/// Of what is stored, in the order of the graph's stores.
Phases store_phases(const Graph& graph) {
  const Phases phases = find_phases(graph);
  Phases found;
  for (const Store& store : graph.stores) found.push_back(phases[store.value.index]);
  return found;
}

std::uint32_t phase_of_state(const Graph& graph, const std::string& name) {
  const Phases phases = find_phases(graph);
  for (const Store& store : graph.stores)
    if (store.target == StoreTarget::State && graph.states[store.index].name == name)
      return phases[store.value.index];
  FAIL("nothing is stored to " << name);
  return 0;
}

}  // namespace

TEST_CASE("without a reduction everything is of phase 0, and there is no domain") {
  const Graph graph = graph_of("rule R { state m; step { m = 0.9 * m + grad; update = m } }");
  CHECK(find_reductions(graph).empty());
  CHECK(find_domains(graph).empty());
  CHECK(find_phases(graph) == Phases(graph.nodes.size(), 0));
}

TEST_CASE("a reduction opens the phase of what needs it, and of nothing else") {
  const Graph graph = graph_of(R"(
rule R {
  state early
  state late
  state model seen
  step {
    let n = norm(grad) per tensor
    early = early + grad
    late = late + n * grad
    seen = seen + 1
  }
})");
  CHECK(reduction_phases(graph) == Phases{1});
  CHECK(phase_of_state(graph, "early") == 0);
  CHECK(phase_of_state(graph, "late") == 1);
  CHECK(phase_of_state(graph, "seen") == 0);
}

TEST_CASE("phases count the reductions behind one another, by the longest way") {
  const Graph graph = graph_of(R"(
rule R {
  state model a
  state model b
  state model c
  step {
    let one = max(grad) per tensor
    let two = sum(grad * one) per group
    let three = max(two) per model
    a = max(one) per model
    b = three
    c = three + (min(param) per model)
  }
})");
  CHECK(phase_of_state(graph, "a") == 2);
  CHECK(phase_of_state(graph, "b") == 3);
  CHECK(phase_of_state(graph, "c") == 3);
  Phases phases = reduction_phases(graph);
  std::ranges::sort(phases);
  CHECK(phases == Phases{1, 1, 2, 2, 3});
}

TEST_CASE("rows, columns and matrices are reductions like others") {
  const Graph graph = graph_of(R"(
rule R {
  require rank >= 2
  state row r
  state col c
  state tensor x
  step {
    r = max(grad) per row
    c = max(grad / (1 + abs(r))) per col
    x = max(max(r) per matrix) per tensor
  }
})");
  CHECK(phase_of_state(graph, "r") == 1);
  CHECK(phase_of_state(graph, "c") == 2);
  CHECK(phase_of_state(graph, "x") == 3);
}

TEST_CASE("a number of values is known before all phases") {
  const Graph graph = graph_of(R"(
rule R {
  state model mean_of_all
  step { mean_of_all = mean(grad) per model }
})");
  const Phases phases = find_phases(graph);
  int counts = 0;
  for (const NodeId id : find_reductions(graph)) {
    const bool is_count = graph[id].fold == Fold::Count;
    counts += is_count ? 1 : 0;
    CHECK(phases[id.index] == (is_count ? 0 : 1));
  }
  CHECK(counts == 1);
  CHECK(store_phases(graph) == Phases{1});
}

TEST_CASE("the conditions of arms that reduce are the domains, each once, in order") {
  const Graph graph = graph_of(R"(
rule Large { step { let n = norm(grad) per tensor; update = grad / n / (1 + max(n) per model) } }
rule Small { step { update = grad * (mean(grad) per model) } }
rule Plain { step { update = grad } }
rule Clip { step { grad = grad / (1 + norm(grad) per model) } }
rule Ways {
  when size > 64: Large
  when rank == 2: Plain
  otherwise: Small
}
rule R = Clip | Ways
)");
  const std::vector<NodeId> domains = find_domains(graph);
  REQUIRE(domains.size() == 2);  // of Large and of Small: Plain has no reductions, Clip has all
  CHECK(domains[0] != domains[1]);
  std::vector<NodeId> in_order;
  std::size_t of_all = 0, of_first = 0;
  for (const NodeId id : find_reductions(graph)) {
    const NodeId domain = domain_of(graph[id]);
    CHECK(graph[domain].type == ValueType::Bool);
    const bool is_all = graph[domain].kind == NodeKind::Constant;
    of_all += is_all ? 1 : 0;
    of_first += domain == domains[0] ? 1 : 0;
    if (!is_all && std::ranges::find(in_order, domain) == in_order.end())
      in_order.push_back(domain);
  }
  CHECK(of_all == 1);
  CHECK(of_first == 2);
  CHECK(in_order == domains);
}

}  // namespace talweg::ir
