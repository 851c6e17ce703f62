// Rules written as text, for tests of what comes after sema.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::tests {

/// The graph of a rule expression ("m.Sgd | Ema"); `module_text` is the module named `m`. An error
/// in either fails the test with its messages.
ir::Graph graph_of_rule(const std::string& expression, const std::string& module_text = {});

/// The names of all rules of the stdlib that can be built without arguments.
std::vector<std::string> library_rules();

}  // namespace talweg::tests
