// The machines whose code this machine runs.
#include <catch2/catch.hpp>

#include "compiler/targets/target.h"
#include "tests/codegen/bitcheck.h"

namespace talweg::tests {

std::vector<std::string> isas_here() {
  std::vector<std::string> names;
  for (const targets::Target* target : targets::all_targets())
    if (target->runs_here()) names.emplace_back(target->name());
  return names;
}

std::shared_ptr<driver::Program> compile_for(const ir::Graph& graph, types::ComputeType compute,
                                             const std::string& isa) {
  driver::CompileOptions options;
  options.compute = compute;
  options.isa = isa;
  options.use_cache = false;
  auto program = driver::compile(graph, options);
  INFO((program.ok() ? std::string() : program.failure().message));
  REQUIRE(program.ok());
  return *program;
}

}  // namespace talweg::tests
