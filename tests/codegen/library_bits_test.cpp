// Every rule of the library leaves the same bits on every target, with hard inputs, in several
// groups and on two threads.
#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"
#include "tests/sample_size.h"

namespace talweg::tests {

TEST_CASE("the library's rules have the same bits on every target") {
  const std::vector<std::string> rules = library_rules();
  REQUIRE(rules.size() > 20);
  std::uint64_t seed = 0;
  for (const std::string& rule : rules) {
    if (!is_in_sample(static_cast<std::uint64_t>(&rule - rules.data()))) continue;
    const ir::Graph graph = graph_of_rule(rule);
    if (graph.split) continue;  // library_matrices_test: these tensors have no shapes
    StepSetting setting;
    setting.tensors = {{131, 0}, {1, 1}, {16, 1}, {40, 0, false}};
    setting.group_count = 2;
    setting.threads = 2;
    setting.steps = 4;
    setting.seed = ++seed;
    require_same_bits(graph, {setting}, rule);
  }
}

TEST_CASE("pipelines have the same bits on every target") {
  StepSetting setting;
  setting.tensors = {{100}, {257}};
  setting.steps = 3;
  for (const char* rule :
       {"ClipValue | AdamW", "AdamW | Ema", "AdamW | Ema(decay = 1 - 1 / t) | Lookahead",
        "SGD(momentum = 0.9) | Ema"})
    require_same_bits(graph_of_rule(rule), {setting}, rule);
}

TEST_CASE("tensors that take different arms have the same bits on every target") {
  const std::string route = R"(
rule Route {
  hyper lr = 0.1 in [0, inf)
  when rank == 2 and not tagged("embedding"): Signum(lr = lr)
  when size > 20:                             AdamW(lr = lr / t)
  when named("*.bias"):                       SGD(momentum = 0.9, lr = lr)
}
rule Halve { step { update = if t % 2 == 0 then 0.5 * update else update } }
rule Wide {
  when rank == 2: Constant(lr = 0.5)
  otherwise:      Constant(lr = 0.25)
}
rule Constant { hyper lr = 1 in [0, inf); step { update = lr } }
rule Larger { step { update = if update > 0.3 and t > 1 then 2 * update else update } }
)";
  StepSetting setting;
  setting.tensors = {{100, 0}, {257, 1}, {3, 0}, {17, 1}, {5}, {64, 1, false}, {1000, 0}, {2, 1}};
  setting.group_count = 2;
  setting.threads = 3;
  setting.steps = 4;
  for (const char* rule :
       {"m.Route", "ClipValue | m.Route | Ema", "m.Route | m.Halve", "m.Route | SGD",
        "SGD | m.Route", "m.Route | Ema | second = m.Route", "m.Wide | m.Larger"}) {
    std::vector<StepSetting> settings;
    for (setting.seed = 1; setting.seed < 9; ++setting.seed) settings.push_back(setting);
    require_same_bits(graph_of_rule(rule, route), settings, rule);
  }
}

}  // namespace talweg::tests
