// The whole command line: the program's own options and every subcommand's, from the one table in
// subcommands.h. Running, --help, completions and manual pages all read this.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace talweg::cli {

struct CommandLine {
  CommandLine();

  CLI::App app;
  std::vector<std::pair<CLI::App*, std::function<int()>>> commands;
};

/// What a shell may offer where a value stands.
enum class Words { None, Listed, Files, RuleFiles, Folders, Rules, RulesAndFunctions, Diagnostics };

/// An option, flag or positional as people see it.
struct OptionFacts {
  std::vector<std::string> names;  // "-r", "--rule"; empty for one without a dash
  std::string positional;          // "files"; empty where it has no place of its own
  std::string value;               // "EXPR", "{float32,float64}"; empty for a flag
  std::string default_value;
  std::string description;
  Words words = Words::None;
  std::vector<std::string> listed;  // with Words::Listed
  bool is_required = false;
  bool may_repeat = false;
};

struct CommandFacts {
  std::string name;  // "build"; empty for the program itself
  std::string summary;
  std::vector<OptionFacts> options;
  std::string footer;  // empty where it has none of its own
};

/// The program itself, then its subcommands in their order.
std::vector<CommandFacts> command_facts();

}  // namespace talweg::cli
