// Every rule of the library leaves the same bits on every target, with hard inputs, in several
// groups and on two threads.
#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

TEST_CASE("the library's rules have the same bits on every target") {
  const std::vector<std::string> rules = library_rules();
  REQUIRE(rules.size() > 20);
  std::uint64_t seed = 0;
  for (const std::string& rule : rules) {
    StepSetting setting;
    setting.tensors = {{131, 0}, {1, 1}, {16, 1}, {40, 0, false}};
    setting.group_count = 2;
    setting.threads = 2;
    setting.steps = 4;
    setting.seed = ++seed;
    require_same_bits(graph_of_rule(rule), {setting}, rule);
  }
}

TEST_CASE("pipelines have the same bits on every target") {
  StepSetting setting;
  setting.tensors = {{100}, {257}};
  setting.steps = 3;
  for (const char* rule : {"ClipValue | AdamW", "AdamW | Ema", "SGD(momentum = 0.9) | Ema"})
    require_same_bits(graph_of_rule(rule), {setting}, rule);
}

}  // namespace talweg::tests
