// Chunks that a whole block of threads works on: their segments meet in the block's memory.
#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

TEST_CASE("long chunks have the interpreter's bits") {
  StepSetting setting;
  setting.tensors = {{2048}, {2049, 1}, {16384}, {16385, 1}, {40000}, {100, 1}};
  setting.group_count = 2;
  setting.steps = 2;
  for (const char* rule : {"ClipByGlobalNorm(1) | AdamW", "LAMB"}) {
    setting.seed += 1;
    // At the start of a page vectors are aligned; against its end they need not be.
    setting.placement = setting.seed % 2 == 0 ? Placement::AtStart : Placement::AtEnd;
    require_same_bits(graph_of_rule(rule), {setting}, rule);
  }
}

}  // namespace talweg::tests
