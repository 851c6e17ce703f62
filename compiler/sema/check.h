// Syntax trees to typed rules: modules and imports, names, rates, states, ranges.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"
#include "compiler/sema/typed_rule.h"
#include "compiler/syntax/ast.h"

namespace talweg::sema {

/// Where modules are looked for, in order: beside the importing file, `include_dirs`, the stdlib.
/// Names of stdlib modules are visible without an import: `AdamW` is found by the declarations the
/// stdlib's files hold.
struct SearchPath {
  std::vector<std::filesystem::path> include_dirs;
  std::filesystem::path stdlib_dir;
};

/// Loads and caches modules; owns their trees. One for a compilation (the REPL keeps one for a
/// session).
class Modules {
 public:
  Modules(SearchPath path, base::Sources& sources, base::Diagnostics& diagnostics);
  ~Modules();
  Modules(const Modules&) = delete;
  Modules& operator=(const Modules&) = delete;

  /// Adds a parsed module under a name ("mine"); it replaces an earlier one of the same name
  /// (REPL).
  void add(std::string name, std::filesystem::path file, syntax::Module module);

  /// The files of all modules so far, sorted; where a name was looked for in the whole stdlib, all
  /// of its files. What was resolved depends on nothing else.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Names of the rules and functions a module declares itself, and of its rules' views.
struct ModuleNames {
  std::vector<std::string> rules;
  std::vector<std::string> views;  // "Ema.averaged"
  std::vector<std::string> functions;
};
ModuleNames declared_names(const syntax::Module& module);

/// Checks everything a module declares (each rule on its own, each fn for what can be known without
/// a call). Reports to the Modules' diagnostics; true without errors.
bool check_module(Modules& modules, const std::string& module_name);

/// Resolves a pipeline (from parse_pipeline) seen from `from_module` (empty: only imports by path
/// and stdlib) into a typed rule; nothing if errors were reported.
std::optional<TypedRule> resolve_pipeline(Modules& modules, const std::string& from_module,
                                          const syntax::Module& pipeline);

/// Evaluates a constant expression (the REPL, --set values): nothing if errors were reported.
std::optional<double> evaluate_constant(Modules& modules, const std::string& from_module,
                                        const syntax::Module& module, syntax::ExprId expression);

}  // namespace talweg::sema
