// The talweg command: picks the subcommand, maps every way to end to its exit code.
#include <fmt/format.h>

#include <exception>
#include <new>

#include "compiler/cli/command_line.h"
#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"

namespace {

using talweg::cli::ExitCode;

int run(int argc, char** argv) {
  talweg::cli::CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int shown = line.app.exit(error);
    if (shown == 0) return talweg::cli::finish_output() ? ExitCode::kOk : ExitCode::kFilesAndIo;
    return ExitCode::kUsage;
  }
  for (const auto& [command, action] : line.commands) {
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
