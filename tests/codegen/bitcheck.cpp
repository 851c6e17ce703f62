#include "tests/codegen/bitcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

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

void run_only_phase(const talweg_image& image, void* const* pointers, std::uint64_t count) {
  std::vector<talweg_chunk> chunks;
  for (std::uint64_t first = 0; first < count; first += TALWEG_CHUNK_ELEMENTS)
    chunks.push_back(
        {first,
         static_cast<std::uint32_t>(std::min<std::uint64_t>(count - first, TALWEG_CHUNK_ELEMENTS)),
         0});
  const std::uint32_t group = 0;
  std::vector<talweg_slot> model_slots(image.step.model_slot_count + 1),
      group_slots(image.step.group_slot_count + 1);
  std::vector<double> scalars(4);
  talweg_scalar_args args{};
  args.hypers = args.states = args.inputs = scalars.data();
  args.new_states = args.bound = scalars.data();
  args.model_slots = model_slots.data();
  args.group_slots = group_slots.data();
  REQUIRE(image.step.phase_count == 1);
  const talweg_phase& phase = image.step.phases[0];
  if (phase.model_scalars != nullptr) phase.model_scalars(image.step.self, &args);
  if (phase.group_scalars != nullptr) phase.group_scalars(image.step.self, &args);
  talweg_pass_args pass{};
  pass.chunks = chunks.data();
  pass.pointers = pointers;
  pass.tensor_groups = &group;
  pass.model_slots = model_slots.data();
  pass.group_slots = group_slots.data();
  pass.group_args = &args;
  pass.tensor_routes = &group;
  pass.chunk_count = chunks.size();
  pass.tensor_count = 1;
  phase.pass(image.step.self, &pass, 0, static_cast<std::uint32_t>(chunks.size()));
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
