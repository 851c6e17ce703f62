// Graph to graph. A pass keeps every value bit for bit (NaN payloads excepted); each is tested by
// interpreting before and after.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "compiler/ir/graph.h"

namespace talweg::passes {

struct Pass {
  std::string_view name;     // "merge-duplicates"; `talweg dump --pass NAME`
  std::string_view summary;  // one line
  ir::Graph (*run)(const ir::Graph&);
};

/// All passes in the order they run; the reason for a place stands at the later pass.
std::span<const Pass> pipeline();
const Pass* find_pass(std::string_view name);

/// Called after each pass with its name and the verified graph.
using Observer = std::function<void(std::string_view, const ir::Graph&)>;

/// Runs the pipeline, verifying after every pass.
ir::Graph run_passes(ir::Graph graph, const Observer& observer = {});

}  // namespace talweg::passes
