// From a rule's text to an image that can be stepped: the pipeline of stages, the interpreter's
// image, the JIT with its disk cache.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "compiler/base/diagnostics.h"
#include "compiler/ir/graph.h"
#include "compiler/plan/plan.h"
#include "compiler/sema/check.h"
#include "compiler/types/compute_type.h"
#include "runtime/abi/talweg_abi.h"
#include "runtime/support/result.h"

namespace talweg::driver {

enum class Backend { Cpu, Interpreter };

struct CompileOptions {
  types::ComputeType compute = types::ComputeType::F32;
  Backend backend = Backend::Cpu;
  std::string isa = "host";  // "host", "scalar", "x86-64-v2", "x86-64-v3", "x86-64-v4"
  bool use_cache = true;
  std::filesystem::path
      cache_dir;  // empty: $TALWEG_CACHE_DIR, else $XDG_CACHE_HOME/talweg, else ~/.cache/talweg
};

/// A compiled rule: the image, and what keeps its code alive.
class Program {
 public:
  virtual ~Program() = default;
  [[nodiscard]] virtual const talweg_image& image() const = 0;
  [[nodiscard]] virtual bool came_from_cache() const { return false; }
};

/// Everything before a backend: typed rule and graph (before optimisation), as the interpreter runs
/// it.
struct FrontEnd {
  sema::TypedRule rule;
  ir::Graph graph;
};

/// Parses and resolves a rule expression ("mine.Clipped | AdamW(lr = 0.1)"), which messages call
/// `source_name`; nothing if errors were reported.
std::optional<FrontEnd> analyze_rule(sema::Modules& modules, base::Sources& sources,
                                     base::Diagnostics& diagnostics, const std::string& rule_text,
                                     const std::string& from_module = {},
                                     const std::string& source_name = "--rule");

/// Graph (before optimisation) to program. Usage failure: an ISA this machine cannot run, or
/// unknown.
support::Result<std::shared_ptr<Program>> compile(const ir::Graph& graph,
                                                  const CompileOptions& options);

/// The image of the interpreter: evaluates the graph as it stands, element by element.
std::shared_ptr<Program> make_interpreter(const ir::Graph& graph, types::ComputeType compute);

/// The stdlib of this build or installation: $TALWEG_STDLIB, else share/talweg/stdlib in the folder
/// above that of the command (or of the shared library that holds this code). Where there is none
/// that is the folder where it should be.
std::filesystem::path find_stdlib();

}  // namespace talweg::driver
