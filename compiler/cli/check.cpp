// talweg check FILE...: everything that can be said about a rule file without running it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/subcommands.h"
#include "compiler/syntax/parse.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

namespace {

// Files a little too large get the parser's message, with its number; absurd ones are not read.
constexpr std::uint64_t kMaxFileBytes = 32 * syntax::Limits::kMaxTextBytes;

struct Options {
  std::vector<std::filesystem::path> files;
  std::vector<std::filesystem::path> include_dirs;
  bool json = false;
};

std::string summary_of(const sema::ModuleNames& names) {
  const auto count = [](std::size_t n, const char* what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  std::string text = fmt::format("{}, {}", count(names.rules.size(), "rule"),
                                 count(names.functions.size(), "function"));
  if (!names.views.empty())
    text +=
        fmt::format(", {} ({})", count(names.views.size(), "view"), fmt::join(names.views, ", "));
  return text;
}

/// Checks one file; an ExitCode.
int check_file(const std::filesystem::path& file, const Options& options) {
  auto text = support::read_file(file, kMaxFileBytes);
  if (!text) return report("check", text.failure());
  Compilation compilation(options.include_dirs);
  const base::SourceId source = compilation.sources.add(file.string(), std::move(*text));
  syntax::Module module =
      syntax::parse_module(source, compilation.sources, compilation.diagnostics);
  const sema::ModuleNames names = sema::declared_names(module);
  if (!compilation.diagnostics.has_errors()) {
    compilation.modules->add(file.stem().string(), file, std::move(module));
    sema::check_module(*compilation.modules, file.stem().string());
  }
  if (!compilation.print_diagnostics(options.json)) return kProgramWrong;
  if (!options.json) print(fmt::format("{}: ok, {}\n", file.string(), summary_of(names)));
  return kOk;
}

}  // namespace

std::function<int()> declare_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("files", options->files, "Files in the talweg language (.tw)")
      ->type_name("RULES.tw")
      ->required();
  declare_include(app, options->include_dirs);
  app.add_flag("--json", options->json, "One JSON object a diagnostic a line on stdout");
  return [options] {
    int worst = kOk;
    for (const auto& file : options->files) worst = std::max(worst, check_file(file, *options));
    return worst;
  };
}

}  // namespace talweg::cli
