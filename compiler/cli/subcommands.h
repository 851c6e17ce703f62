// The table of subcommands. A subcommand is one file (and helpers of its own) and one row here.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

namespace talweg::cli {

/// Declares its options on `app` and gives what runs once they are parsed; that returns an
/// ExitCode.
using Declare = std::function<int()> (*)(CLI::App& app);

struct Subcommand {
  const char* name;
  const char* summary;  // one line
  Declare declare;
};

/// In the order --help shows them.
std::span<const Subcommand> subcommands();

std::function<int()> declare_build(CLI::App& app);
std::function<int()> declare_check(CLI::App& app);
std::function<int()> declare_completions(CLI::App& app);
std::function<int()> declare_devices(CLI::App& app);
std::function<int()> declare_dump(CLI::App& app);
std::function<int()> declare_explain(CLI::App& app);
std::function<int()> declare_fmt(CLI::App& app);
std::function<int()> declare_list(CLI::App& app);
std::function<int()> declare_man(CLI::App& app);
std::function<int()> declare_plan(CLI::App& app);
std::function<int()> declare_predict(CLI::App& app);
std::function<int()> declare_repl(CLI::App& app);
std::function<int()> declare_replay(CLI::App& app);
std::function<int()> declare_targets(CLI::App& app);
std::function<int()> declare_trace(CLI::App& app);
std::function<int()> declare_train(CLI::App& app);

}  // namespace talweg::cli
