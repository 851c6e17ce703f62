// Interpreter and every ISA leave the same bits: single operations, a real rule, random graphs; all
// lengths, placements and thread counts, with hard inputs.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/codegen/sample_graphs.h"
#include "tests/ir/random_graph.h"

namespace talweg::tests {

namespace {

StepSetting one_tensor(std::uint64_t elements, std::uint64_t seed, Placement placement) {
  StepSetting setting;
  setting.tensors = {{elements}};
  setting.seed = seed;
  setting.placement = placement;
  return setting;
}

}  // namespace

TEST_CASE("every operation has the same bits on every target") {
  for (const builtins::OpInfo& row : builtins::op_table()) {
    const std::vector<StepSetting> settings{one_tensor(6000, 11, Placement::AtEnd)};
    require_same_bits(operation_graph(row.op), settings, std::string(row.name));
  }
}

TEST_CASE("lengths 0 to 300 against both guards") {
  std::vector<StepSetting> settings;
  for (std::uint64_t elements = 0; elements <= 300; ++elements)
    settings.push_back(
        one_tensor(elements, elements, elements % 2 == 0 ? Placement::AtEnd : Placement::AtStart));
  for (StepSetting& setting : settings) setting.steps = 2;
  require_same_bits(adamw_graph(), settings, "AdamW");
}

TEST_CASE("chunks, groups, threads and tensors without gradients") {
  std::vector<StepSetting> settings;
  for (const std::uint32_t threads : {1u, 2u, 3u, 8u}) {
    StepSetting setting;
    setting.tensors = {{1, 0},
                       {TALWEG_CHUNK_ELEMENTS - 1, 1},
                       {TALWEG_CHUNK_ELEMENTS, 2},
                       {7, 1, false},
                       {0, 0},
                       {TALWEG_CHUNK_ELEMENTS + 1, 0},
                       {33, 2}};
    setting.group_count = 3;
    setting.threads = threads;
    setting.steps = 2;
    settings.push_back(setting);
  }
  require_same_bits(adamw_graph(), settings, "AdamW");
}

TEST_CASE("random graphs have the same bits on every target") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    StepSetting setting;
    setting.tensors = {{67, 0}, {1, 1}, {64, 1}, {19, 0, false}};
    setting.group_count = 2;
    setting.steps = 3;
    setting.seed = seed;
    INFO("seed " << seed);
    require_same_bits(random_graph(seed, 60 + seed, seed % 3), {setting},
                      fmt::format("seed {}", seed));
  }
}

}  // namespace talweg::tests
