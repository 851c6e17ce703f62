// How wide the accesses to memory are that the library's rules make on a GPU, by the text of their
// kernels.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/driver/generate.h"
#include "compiler/passes/pass.h"
#include "compiler/targets/target.h"
#include "tests/gpu/ptx/summary.h"
#include "tests/ir/compile_text.h"
#include "tests/sample_size.h"

namespace talweg::gpu {
namespace {

using types::ComputeType;

std::vector<ptx::Summary> kernels_of(const std::string& rule, ComputeType compute,
                                     const std::string& target) {
  const plan::Plan plan = plan::make_plan(passes::run_passes(tests::graph_of_rule(rule)), compute);
  return ptx::summarize(
      driver::generate(plan, *targets::find_target(target), targets::CodeKind::Assembly));
}

TEST_CASE("passes access sixteen bytes at a time") {
  std::vector<std::string> rules = tests::library_rules();
  rules.insert(rules.end(), {"ClipByGlobalNorm(1) | AdamW | Ema", "SAM | AdamW"});
  const std::vector<std::string> targets = {"nvptx-sm80", "nvptx-sm90", "nvptx-sm100"};
  std::size_t passes = 0, wide = 0;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!tests::is_in_sample(i)) continue;
    const ComputeType compute = i % 2 == 0 ? ComputeType::F32 : ComputeType::F64;
    for (const ptx::Summary& kernel : kernels_of(rules[i], compute, targets[i % targets.size()])) {
      INFO(rules[i] << ", " << targets[i % targets.size()] << ", " << kernel.kernel);
      if (kernel.kernel.find("pass_") == std::string::npos || kernel.stores.empty()) continue;
      ++passes;
      wide += kernel.loads.contains(16) || kernel.stores.contains(16);
    }
  }
  CHECK(wide == passes);
  CHECK(passes > 0);
}

TEST_CASE("AdamW loads and stores four elements at a time") {
  for (const char* target : {"nvptx-sm80", "nvptx-sm90", "nvptx-sm100"})
    for (const ptx::Summary& kernel : kernels_of("AdamW", ComputeType::F32, target)) {
      if (kernel.kernel != "talweg_pass_0") continue;
      INFO(target);
      CHECK(kernel.loads.at(16) >= 4);
      CHECK(kernel.stores.at(16) >= 3);
    }
}

}  // namespace
}  // namespace talweg::gpu
