// Runs steps of an image through the raw C interface over guarded memory, and compares what two
// images leave bit by bit. Any NaN is like another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "runtime/abi/talweg_abi.h"
#include "tests/codegen/guarded_memory.h"

namespace talweg::tests {

struct TensorSetting {
  std::uint64_t elements = 0;
  std::uint32_t group = 0;
  bool has_gradient = true;
  std::uint32_t absent_in_step = 0;  // in which it has no gradient; 0: in none
};

struct StepSetting {
  std::vector<TensorSetting> tensors;
  std::uint32_t group_count = 1;
  std::uint32_t threads = 1;
  std::uint32_t steps = 1;
  std::uint64_t seed = 1;  // of all values: parameters, gradients, states, inputs, hypers
  Placement placement = Placement::AtEnd;
};

/// Everything a step can change, and every view after each step, as numbers; in one order for all
/// images of a graph.
using Outcome = std::vector<double>;

/// Runs the steps. Values are those of Random::number(): hard ones among ordinary ones. The same
/// setting gives the same values for every image of one graph.
Outcome run_steps(const talweg_image& image, const StepSetting& setting);

/// Where the two differ first, in words; empty if they are the same.
std::string first_difference(const Outcome& expected, const Outcome& actual);

/// Runs the only phase of an image without states over one tensor; its streams are `pointers`.
void run_only_phase(const talweg_image& image, void* const* pointers, std::uint64_t count);

/// Names of the ISAs that this machine runs.
std::vector<std::string> isas_here();

/// The graph compiled for an ISA, without the disk cache; fails the test otherwise.
std::shared_ptr<driver::Program> compile_for(const ir::Graph& graph, types::ComputeType compute,
                                             const std::string& isa);

/// The graph on the interpreter and compiled for every ISA of this machine, in float64.
std::vector<std::shared_ptr<driver::Program>> on_all_targets(const ir::Graph& graph);

/// Fails the test, naming `what`, where an ISA of this machine leaves other bits than the
/// interpreter under one of the settings, in float32 or float64.
void require_same_bits(const ir::Graph& graph, const std::vector<StepSetting>& settings,
                       const std::string& what);

}  // namespace talweg::tests
