// Rules with reductions leave the same bits on every target: at the edges of lanes, segments and
// chunks, over tensors and groups, on several threads, with hard inputs and gradients missing.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/reducing_rules.h"

namespace talweg::tests {

namespace {

constexpr const char* kRules[] = {"m.ClipByGlobalNorm | AdamW | Ema",
                                  "m.ClipByGlobalNorm | m.Lamb",
                                  "AdamW | m.Cautious",
                                  "m.Wide | Ema",
                                  "m.All",
                                  "m.Guard | AdamW",
                                  "m.Ways | m.Guard",
                                  "m.Chain"};

}  // namespace

TEST_CASE("reductions at the edges of lanes and segments") {
  std::vector<StepSetting> settings;
  for (const std::uint32_t threads : {1u, 2u, 3u, 8u}) {
    StepSetting setting;
    setting.tensors = {{0, 0},    {1, 1},    {63, 0},        {64, 1},           {65, 0, true, 2},
                       {1023, 1}, {1024, 0}, {19, 0, false}, {1025, 1, true, 1}};
    setting.group_count = 3;  // one without tensors
    setting.threads = threads;
    setting.steps = 3;
    setting.seed = threads;
    setting.placement = threads % 2 == 0 ? Placement::AtEnd : Placement::AtStart;
    settings.push_back(setting);
  }
  for (const char* rule : kRules)
    require_same_bits(graph_of_rule(rule, kReducingRules), settings, rule);
}

TEST_CASE("reductions at the edges of chunks") {
  StepSetting setting;
  constexpr std::uint64_t kChunk = TALWEG_CHUNK_ELEMENTS;
  setting.tensors = {{kChunk - 1, 0}, {kChunk, 1}, {kChunk + 1, 0}, {3 * kChunk + 5, 1}};
  setting.group_count = 2;
  setting.threads = 3;
  setting.steps = 2;
  for (const char* rule : {"m.ClipByGlobalNorm | m.Lamb", "m.Chain"})
    require_same_bits(graph_of_rule(rule, kReducingRules), {setting}, rule);
}

TEST_CASE("on how many threads a reduction runs does not matter") {
  for (const auto& program : on_all_targets(graph_of_rule("m.All", kReducingRules))) {
    StepSetting setting;
    setting.tensors = {{5 * TALWEG_CHUNK_ELEMENTS / 2, 0}, {100, 1}, {2000, 0}};
    setting.group_count = 2;
    const Outcome alone = run_steps(program->image(), setting);
    for (const std::uint32_t threads : {2u, 3u, 8u}) {
      setting.threads = threads;
      CHECK(first_difference(alone, run_steps(program->image(), setting)).empty());
    }
  }
}

}  // namespace talweg::tests
