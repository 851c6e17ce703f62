// Everything that must hold for one random rule: it compiles, its graph reads back as it prints,
// every pass keeps its bits, and every target and number of threads leaves the bits of the
// interpreter.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "compiler/ir/graph.h"
#include "tests/random/choices.h"
#include "tests/random/setting.h"
#include "tests/random/writer.h"

namespace talweg::tests {

struct Example {
  Setting setting;
  RuleText rule;
};

Example draw_example(Choices& choices);

/// Makes a graph a program of an instruction set.
using Compile = std::function<support::Result<std::shared_ptr<driver::Program>>(
    const ir::Graph&, types::ComputeType, const std::string& isa)>;

/// For this machine, as users do.
support::Result<std::shared_ptr<driver::Program>> compile_here(const ir::Graph& graph,
                                                               types::ComputeType compute,
                                                               const std::string& isa);

struct CheckOptions {
  std::vector<std::string> isas = {};  // to compare with the interpreter
  bool both_types = false;             // not only the setting's compute type
  /// What is compiled instead of the rule's graph: a planted difference, for tests of the test.
  std::function<void(ir::Graph&)> plant = {};
  Compile compile = compile_here;
  std::vector<std::uint32_t> threads = {1, 2, 3, 8, 16};  // of large settings
};

struct Outcome {
  std::string fault;               // empty: all is well
  std::set<std::string> features;  // of text and graph
  bool was_refused = false;        // some step was
  std::uint64_t values = 0;        // of the interpreter's that were compared
  std::uint64_t finite_values = 0;
};

/// Only that it compiles, and what it consists of.
Outcome check_text_of(const Example& example);

Outcome check_example(const Example& example, const CheckOptions& options);

/// The example as a person reads it.
std::string describe(const Example& example);

/// Example number `n` of all.
Choices choices_of_example(std::uint64_t n);

}  // namespace talweg::tests
