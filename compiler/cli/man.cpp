// talweg man [COMMAND]: a manual page on stdout, or all of them as files.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/man_page.h"
#include "compiler/cli/subcommands.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

namespace {

namespace fs = std::filesystem;
using support::Failure;
using support::FailureKind;

struct Options {
  std::string command;
  fs::path out;
};

int write_all(const std::vector<CommandFacts>& commands, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return report("man", Failure{FailureKind::Io, fmt::format("cannot make the folder {}: {}",
                                                              folder.string(), error.message())});
  for (const CommandFacts& command : commands) {
    const auto written = support::write_file_atomically(folder / (page_name(command) + ".1"),
                                                        man_page(command, commands));
    if (!written) return report("man", written.failure());
  }
  return kOk;
}

int run(const Options& o) {
  const std::vector<CommandFacts> commands = command_facts();
  if (!o.out.empty()) return write_all(commands, o.out);
  for (const CommandFacts& command : commands) {
    if (command.name != o.command) continue;
    print(man_page(command, commands));
    return kOk;
  }
  return report(
      "man", Failure{FailureKind::Usage,
                     fmt::format("there is no command '{}'; talweg --help lists them", o.command)});
}

}  // namespace

std::function<int()> declare_man(CLI::App& app) {
  auto options = std::make_shared<Options>();
  std::vector<std::string> names;
  for (const Subcommand& row : subcommands()) names.emplace_back(row.name);
  auto* command = app.add_option("command", options->command, "Whose page; by default talweg's own")
                      ->check(known_words(names));
  app.add_option("-o,--out", options->out, "Write all pages to this folder, as talweg-COMMAND.1")
      ->check(not_empty())
      ->type_name("DIR")
      ->excludes(command);
  app.footer("Example:\n  talweg man build | man -l -");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
