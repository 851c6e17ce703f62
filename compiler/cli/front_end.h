// What subcommands that read rules share: options, sources, modules, and the printing of
// diagnostics.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"
#include "compiler/cli/place.h"
#include "compiler/driver/compile.h"
#include "compiler/sema/check.h"

namespace talweg::cli {

/// One compilation: owns the sources, diagnostics and modules.
struct Compilation {
  explicit Compilation(std::vector<std::filesystem::path> include_dirs);

  base::Sources sources;
  base::Diagnostics diagnostics;
  std::unique_ptr<sema::Modules> modules;

  /// Prints what was reported: text on stderr, or JSON lines on stdout. True if there were no
  /// errors.
  bool print_diagnostics(bool json);
};

/// --rule, --include and how to compile it: the options of every command that runs a rule.
struct RuleOptions {
  std::string rule;
  std::vector<std::filesystem::path> include_dirs;
  std::vector<std::string> settings;  // "lr=0.1", "1:lr=0.1" for group 1
  std::string dtype = "float32";
  std::string backend = "cpu";
  std::string isa = "host";
  std::string device = "cpu";
  std::uint32_t threads = 0;  // 0: one a core
  bool no_cache = false;
};

void declare_include(CLI::App& app, std::vector<std::filesystem::path>& include_dirs);
void declare_settings(CLI::App& app, std::vector<std::string>& settings);  // --set
void declare_dtype(CLI::App& app, std::string& dtype);                     // --dtype
/// Declares --rule (required unless `rule_optional`), --include, --set, --dtype, --backend, --isa,
/// --threads, --no-cache.
void declare_rule(CLI::App& app, RuleOptions& options);
void declare_device(CLI::App& app, std::string& device);  // --device

driver::CompileOptions compile_options(const RuleOptions& options);

/// The rule compiled for this machine and for the place where its steps run, or the exit code to
/// end with (everything was printed).
struct Compiled {
  driver::FrontEnd front_end;
  std::shared_ptr<driver::Program> program;
  Place place;
};
support::Result<Compiled> compile_rule(Compilation& compilation, const RuleOptions& options);

/// "lr=0.1" and "1:lr=0.1" taken apart.
struct Setting {
  std::string name;
  double value = 0;
  std::optional<std::uint32_t> group;
};
support::Result<Setting> parse_setting(const std::string& text);

/// Accepts whole numbers in this range; CLI11 alone would take -1 for 2^64 - 1.
CLI::Validator count_from(std::uint64_t least, std::uint64_t greatest = UINT64_MAX);
/// Shows these words in --help and offers them in shells; whoever reads the option refuses others.
CLI::Validator known_words(const std::vector<std::string>& words);
/// Refuses '': programs take an empty name for an option that was not given.
CLI::Validator not_empty();

std::uint32_t thread_count(std::uint32_t asked);

}  // namespace talweg::cli
