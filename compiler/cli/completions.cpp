// talweg completions SHELL: a script for that shell, on stdout or as a file.
#include "compiler/cli/completions.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/subcommands.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

std::string in_single_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string list_command(bool with_functions) {
  return fmt::format("talweg list 2>/dev/null | sed -n {}'s/^  \\([^ ]*\\).*/\\1/p'",
                     with_functions ? "" : "-e '/^Schedules/q' -e ");
}

namespace {

using Write = std::string (*)(const std::vector<CommandFacts>&);
constexpr std::array<std::pair<std::string_view, Write>, 3> kShells = {{
    {"bash", bash_completions},
    {"fish", fish_completions},
    {"zsh", zsh_completions},
}};

struct Options {
  std::string shell;
  std::string out;
};

int run(const Options& o) {
  for (const auto& [shell, write] : kShells) {
    if (shell != o.shell) continue;
    const std::string text = write(command_facts());
    if (o.out.empty()) {
      print(text);
    } else if (auto written = support::write_file_atomically(o.out, text); !written) {
      return report("completions", written.failure());
    }
    return kOk;
  }
  return report("completions", {support::FailureKind::Usage,
                                fmt::format("there are none for '{}'; name a shell: bash, fish or "
                                            "zsh",
                                            o.shell)});
}

}  // namespace

std::function<int()> declare_completions(CLI::App& app) {
  auto options = std::make_shared<Options>();
  std::vector<std::string> names;
  for (const auto& [shell, write] : kShells) names.emplace_back(shell);
  app.add_option("shell", options->shell, "Whose completions")
      ->check(known_words(names))
      ->required();
  app.add_option("-o,--out", options->out, "File; default: stdout")
      ->check(not_empty())
      ->type_name("FILE");
  app.footer(
      "An installed talweg brings them. From a build tree:\n"
      "  source <(talweg completions bash)");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
