// talweg fmt FILE|FOLDER...: rule files in their canonical layout.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "compiler/base/diagnostic_render.h"
#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/subcommands.h"
#include "compiler/syntax/format.h"
#include "compiler/syntax/parse.h"
#include "runtime/support/file_io.h"
#include "runtime/support/overwrite_file.h"

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

support::Failure io_failure(std::string_view what, const fs::path& path, std::string_view why) {
  return {support::FailureKind::Io, fmt::format("cannot {} {}: {}", what, path.string(), why)};
}

/// Adds the .tw files of a folder and its folders; hidden folders are left alone, links to folders
/// not followed. A folder that cannot be read is reported and left out; an ExitCode.
int add_rule_files(const fs::path& folder, std::vector<fs::path>& files) {
  int worst = kOk;
  std::vector<fs::path> folders = {folder};
  while (!folders.empty()) {
    const fs::path current = std::move(folders.back());
    folders.pop_back();
    std::error_code error;
    for (fs::directory_iterator it(current, error), end; !error && it != end; it.increment(error)) {
      std::error_code unknown;
      if (it->is_directory(unknown)) {
        const bool is_hidden = it->path().filename().string().starts_with('.');
        if (!is_hidden && !it->is_symlink(unknown)) folders.push_back(it->path());
      } else if (it->path().extension() == ".tw") {
        files.push_back(it->path());
      }
    }
    if (error) worst = report("fmt", io_failure("read the folder", current, error.message()));
  }
  std::sort(files.begin(), files.end());
  return worst;
}

/// Puts a new text in place of the old. A file is replaced whole where that changes nothing else;
/// one that has other names or another owner, or stands in a folder that cannot be written, is
/// written over.
support::Status write_text(const fs::path& file, const std::string& old_text,
                           const std::string& text) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0)
    return io_failure("write", file, std::generic_category().message(errno));
  // Root may write what nobody is meant to.
  if ((status.st_mode & 0222) == 0) return io_failure("write", file, "it is read-only");
  if (::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) != 0)
    return io_failure("write", file, std::generic_category().message(errno));
  std::error_code error;
  const fs::path folder = fs::canonical(file, error).parent_path();
  const bool replaceable = !error && status.st_nlink == 1 && status.st_uid == ::geteuid() &&
                           ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
  return replaceable ? support::write_file_atomically(file, text)
                     : support::overwrite_file(file, old_text, text);
}

/// Formats one file in place, or says that it would change; an ExitCode.
int format_file(const fs::path& file, bool check) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  // A pipe would be waited for.
  if (fs::exists(status) && !fs::is_regular_file(status))
    return report("fmt", io_failure("format", file, "it is no regular file"));
  const auto text = support::read_file(file, kMaxFileBytes);
  if (!text) return report("fmt", text.failure());
  const auto result = formatted(file.string(), *text);
  if (!result) return kProgramWrong;
  if (*result == *text) return kOk;
  if (!check) {
    const support::Status written = write_text(file, *text, *result);
    if (!written) return report("fmt", written.failure());
  }
  print(file.string() + "\n");
  return check ? kProgramWrong : kOk;
}

int format_path(const fs::path& path, bool check) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return format_file(path, check);
  std::vector<fs::path> files;
  int worst = add_rule_files(path, files);
  for (const fs::path& file : files) worst = std::max(worst, format_file(file, check));
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
                 "Files, and folders whose .tw files are meant; - for standard input")
      ->type_name("RULES.tw");
  app.add_flag("--check", options->check,
               "Write nothing; name the files that would change and end with 1");
  app.add_flag("--stdin", options->from_stdin, "Read standard input, write standard output");
  app.footer(
      "Files are written only where they change, and their names printed. A file with errors, or\n"
      "one that is read-only, is reported and left as it is. docs/language.md describes the "
      "layout.");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
