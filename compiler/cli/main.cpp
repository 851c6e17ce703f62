// The talweg command: picks the subcommand, maps every way to end to its exit code.
#include <fmt/format.h>

#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/subcommands.h"

namespace {

using talweg::cli::ExitCode;

int run(int argc, char** argv) {
  CLI::App app("talweg: a compiled language for deep-learning optimizers", "talweg");
  app.set_version_flag("--version", "talweg " TALWEG_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Each command has --help. Exit codes: 0 ok, 1 the rule is wrong, 2 usage, 3 files and I/O,\n"
      "4 numeric failure, 70 a bug in talweg.");
  std::vector<std::pair<CLI::App*, std::function<int()>>> commands;
  for (const auto& row : talweg::cli::subcommands()) {
    CLI::App* command = app.add_subcommand(row.name, row.summary);
    commands.emplace_back(command, row.declare(*command));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int shown = app.exit(error);
    if (shown == 0) return talweg::cli::finish_output() ? ExitCode::kOk : ExitCode::kFilesAndIo;
    return ExitCode::kUsage;
  }
  for (const auto& [command, action] : commands) {
    if (!command->parsed()) continue;
    const int code = action();
    return talweg::cli::finish_output() || code != 0 ? code : ExitCode::kFilesAndIo;
  }
  return ExitCode::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "talweg: out of memory\n");
    return ExitCode::kFilesAndIo;
  } catch (const std::exception& error) {
    fmt::print(
        stderr,
        "talweg: internal error: {}\nThis is a bug in talweg. Please report this line, the command "
        "you ran and the files it read.\n",
        error.what());
    return ExitCode::kOurBug;
  }
}
