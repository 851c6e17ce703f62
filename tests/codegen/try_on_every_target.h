// One test of a rule, on the interpreter and on every ISA.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

/// Calls `check` with a new Trial(program) for each target, in float64.
template <class Trial>
void try_on_every_target(const std::string& rule, const std::string& module,
                         const std::function<void(Trial&)>& check) {
  for (const auto& program : on_all_targets(graph_of_rule(rule, module))) {
    INFO(rule << " on " << program->image().isa);
    Trial trial(program);
    check(trial);
  }
}

}  // namespace talweg::tests
