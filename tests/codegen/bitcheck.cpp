#include "tests/codegen/bitcheck.h"

#include <fmt/format.h>

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "compiler/targets/target.h"

namespace talweg::tests {

std::string first_difference(const Outcome& expected, const Outcome& actual) {
  if (expected.size() != actual.size())
    return fmt::format("{} values against {}", expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool both_nan = std::isnan(expected[i]) && std::isnan(actual[i]);
    if (both_nan ||
        std::bit_cast<std::uint64_t>(expected[i]) == std::bit_cast<std::uint64_t>(actual[i]))
      continue;
    return fmt::format("value {} of {}: expected {:a} ({}), got {:a} ({})", i, expected.size(),
                       expected[i], expected[i], actual[i], actual[i]);
  }
  return {};
}

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

std::vector<std::shared_ptr<driver::Program>> on_all_targets(const ir::Graph& graph) {
  constexpr auto kCompute = types::ComputeType::F64;
  std::vector<std::shared_ptr<driver::Program>> programs = {
      driver::make_interpreter(graph, kCompute)};
  for (const std::string& isa : isas_here()) programs.push_back(compile_for(graph, kCompute, isa));
  return programs;
}

void require_same_bits(const ir::Graph& graph, const std::vector<StepSetting>& settings,
                       const std::string& what) {
  for (const auto compute : {types::ComputeType::F32, types::ComputeType::F64}) {
    const auto interpreter = driver::make_interpreter(graph, compute);
    std::vector<Outcome> expected;
    for (const StepSetting& setting : settings)
      expected.push_back(run_steps(interpreter->image(), setting));
    for (const std::string& isa : isas_here()) {
      const auto program = compile_for(graph, compute, isa);
      for (std::size_t i = 0; i < settings.size(); ++i) {
        const std::string difference =
            first_difference(expected[i], run_steps(program->image(), settings[i]));
        if (!difference.empty())
          FAIL(fmt::format("{}, {}, {}, setting {}: {}", what, to_text(compute), isa, i,
                           difference));
      }
    }
  }
  SUCCEED();
}

}  // namespace talweg::tests
