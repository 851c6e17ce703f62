// Rules that wait for new gradients leave the same bits on every target.
#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/codegen/waiting_rules.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

constexpr const char* kRules[] = {"m.Sam | SGD",
                                  "m.Sam | AdamW",
                                  "SkipNonFinite | m.Sam | ClipByGlobalNorm | AdamW | Ema",
                                  "m.Look | HeavyBall",
                                  "m.Twice",
                                  "m.Twice | m.Look",
                                  "m.Either",
                                  "m.Apart",
                                  "m.Apart | m.Look | SGD",
                                  "m.Stay | SGD",
                                  "m.Wander | Adam",
                                  "m.Constant | SGD",
                                  "m.Forget",
                                  "m.SkipBefore | m.Sam | SGD",
                                  "m.SkipBehind | SGD",
                                  "m.SkipBefore | m.Look | m.SkipBehind | SGD",
                                  "m.HoldBehind",
                                  "m.Scheduled",
                                  "m.Remembers",
                                  "m.Seldom(every = 2) | m.Seldom(every = 3) | m.Seldom | AdamW",
                                  "m.Again(every = 3) | m.Seldom | m.Again | m.Look | HeavyBall",
                                  "m.Folds",
                                  "m.Look | m.Folds",
                                  "m.HoldBehind | ClipByGlobalNorm | m.Folds"};

}  // namespace

TEST_CASE("steps that wait for gradients have the same bits on every target") {
  std::vector<StepSetting> settings;
  for (const std::uint32_t threads : {1u, 3u}) {
    StepSetting setting;
    setting.tensors = {{0, 0},           {1, 1},         {63, 0},
                       {65, 0, true, 2}, {19, 0, false}, {1025, 1, true, 1}};
    setting.group_count = 2;
    setting.threads = threads;
    setting.steps = 5;
    setting.seed = threads;
    setting.placement = threads == 1 ? Placement::AtEnd : Placement::AtStart;
    settings.push_back(setting);
  }
  for (const char* rule : kRules)
    require_same_bits(graph_of_rule(rule, kWaitingRules), settings, rule);
}

}  // namespace talweg::tests
