// From text to graph: each *.tw file holds rules, the rule expression to build, and the graph it
// becomes.
#include <catch2/catch.hpp>

#include "compiler/ir/text.h"
#include "compiler/ir/verify.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/golden.h"

namespace talweg::ir {

TEST_CASE("rules become graphs as the goldens say") {
  tests::check_goldens(TALWEG_SOURCE_DIR "/tests/ir/rules", ".tw", [](const tests::Golden& golden) {
    return print(tests::graph_of_rule(golden.setting("rule"), golden.question));
  });
}

TEST_CASE("every rule of the library becomes a good graph, whose text reads back") {
  const std::vector<std::string> rules = tests::library_rules();
  REQUIRE(rules.size() > 10);
  for (const std::string& rule : rules) {
    INFO(rule);
    const Graph graph = tests::graph_of_rule(rule);
    CHECK(find_faults(graph).empty());
    const std::string text = print(graph);
    const auto again = read_graph(text);
    REQUIRE(std::holds_alternative<Graph>(again));
    CHECK(print(std::get<Graph>(again)) == text);
  }
}

}  // namespace talweg::ir
