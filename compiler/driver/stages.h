// The stages a rule goes through, each as text: `talweg dump --stage NAME`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "compiler/driver/compile.h"

namespace talweg::driver {

/// The expression to show, and what it is resolved with.
struct StageSource {
  sema::Modules& modules;
  base::Sources& sources;
  base::Diagnostics& diagnostics;
  std::string rule_text;
  std::string from_module;
};

struct Stage {
  std::string_view name;     // "graph"
  std::string_view summary;  // one line
};

/// In the order a rule passes through them.
std::span<const Stage> stages();

/// `stage` is a name of stages(), or "passes:NAME" for the graph after one pass. Failures: Usage
/// for an unknown stage, pass or ISA; Program where the rule has errors, which stand in
/// `source.diagnostics`.
support::Result<std::string> dump_stage(std::string_view stage, const StageSource& source,
                                        const CompileOptions& options);

}  // namespace talweg::driver
