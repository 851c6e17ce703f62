// Each *.graph file: a graph, a pass (or `all`), and the graph that comes out.
#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/ir/text.h"
#include "compiler/ir/verify.h"
#include "compiler/passes/pass.h"
#include "tests/ir/golden.h"

namespace talweg::passes {

TEST_CASE("passes change graphs as the goldens say") {
  tests::check_goldens(TALWEG_SOURCE_DIR "/tests/passes", ".graph",
                       [](const tests::Golden& golden) {
                         const std::string name = golden.setting("pass");
                         if (name == "all") return ir::print(run_passes(golden.graph()));
                         const Pass* pass = find_pass(name);
                         INFO(golden.file << ": " << name);
                         REQUIRE(pass);
                         const ir::Graph result = pass->run(golden.graph());
                         ir::verify(result, name);
                         return ir::print(result);
                       });
}

TEST_CASE("every pass has a golden") {
  std::vector<std::string> tested;
  tests::check_goldens(TALWEG_SOURCE_DIR "/tests/passes", ".graph",
                       [&](const tests::Golden& golden) {
                         tested.push_back(golden.setting("pass"));
                         return golden.answer;
                       });
  for (const Pass& pass : pipeline()) {
    INFO(pass.name);
    CHECK(std::find(tested.begin(), tested.end(), pass.name) != tested.end());
  }
}

}  // namespace talweg::passes
