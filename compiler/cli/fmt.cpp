// talweg fmt FILE|FOLDER...: rule files in their canonical layout.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "compiler/base/diagnostic_render.h"
#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/subcommands.h"
#include "compiler/syntax/format.h"
#include "compiler/syntax/parse.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

namespace {

namespace fs = std::filesystem;

// Files a little too large get the parser's message, with its number; absurd ones are not read.
constexpr std::uint64_t kMaxFileBytes = 32 * syntax::Limits::kMaxTextBytes;

struct Options {
  std::vector<std::string> paths;
  bool check = false;
  bool from_stdin = false;
};

/// The text formatted, or nothing after its errors were printed.
std::optional<std::string> formatted(const std::string& name, const std::string& text) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  auto result = syntax::format(sources.add(name, text), sources, diagnostics);
  if (!diagnostics.all().empty()) {
    std::fflush(stdout);
    const std::string messages = base::render_text(diagnostics, sources, wants_color(stderr));
    std::fwrite(messages.data(), 1, messages.size(), stderr);
  }
  return result;
}

/// The .tw files of a folder and its folders, sorted; hidden folders are left alone.
support::Result<std::vector<fs::path>> rule_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code unknown;
    if (it->is_directory(unknown)) {
      if (it->path().filename().string().starts_with('.')) it.disable_recursion_pending();
    } else if (it->path().extension() == ".tw") {
      files.push_back(it->path());
    }
  }
  if (error)
    return support::Failure{
        support::FailureKind::Io,
        fmt::format("cannot read the folder {}: {}", folder.string(), error.message())};
  std::sort(files.begin(), files.end());
  return files;
}

/// Formats one file in place, or says that it would change; an ExitCode.
int format_file(const fs::path& file, bool check) {
  const auto text = support::read_file(file, kMaxFileBytes);
  if (!text) return report("fmt", text.failure());
  const auto result = formatted(file.string(), *text);
  if (!result) return kProgramWrong;
  if (*result == *text) return kOk;
  if (!check) {
    const support::Status written = support::write_file_atomically(file, *result);
    if (!written) return report("fmt", written.failure());
  }
  print(file.string() + "\n");
  return check ? kProgramWrong : kOk;
}

int format_path(const fs::path& path, bool check) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return format_file(path, check);
  const auto files = rule_files(path);
  if (!files) return report("fmt", files.failure());
  int worst = kOk;
  for (const fs::path& file : *files) worst = std::max(worst, format_file(file, check));
  return worst;
}

int format_stdin(bool check) {
  const auto text = support::read_file("/dev/stdin", kMaxFileBytes);
  if (!text) return report("fmt", text.failure());
  const auto result = formatted("standard input", *text);
  if (!result) return kProgramWrong;
  if (!check) {
    print(*result);
    return kOk;
  }
  if (*result == *text) return kOk;
  print("standard input\n");
  return kProgramWrong;
}

int run(const Options& o) {
  const bool dash = std::find(o.paths.begin(), o.paths.end(), "-") != o.paths.end();
  const bool from_stdin = o.from_stdin || dash;
  const std::size_t named = o.paths.size() - (dash ? 1 : 0);
  if (from_stdin && named > 0)
    return report("fmt", {support::FailureKind::Usage,
                          "standard input stands alone; name files in a call of their own"});
  if (from_stdin) return format_stdin(o.check);
  if (named == 0)
    return report("fmt", {support::FailureKind::Usage,
                          "name files or folders (talweg fmt mine.tw), or - for standard input"});
  int worst = kOk;
  for (const std::string& path : o.paths) worst = std::max(worst, format_path(path, o.check));
  return worst;
}

}  // namespace

std::function<int()> declare_fmt(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("paths", options->paths,
                 "Files, and folders whose .tw files are meant; - for standard input");
  app.add_flag("--check", options->check,
               "Write nothing; name the files that would change and end with 1");
  app.add_flag("--stdin", options->from_stdin, "Read standard input, write standard output");
  app.footer(
      "Files are written only where they change, and their names printed. A file with errors is\n"
      "reported and left as it is. docs/language.md describes the layout.");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
