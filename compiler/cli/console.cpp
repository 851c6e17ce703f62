#include "compiler/cli/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "compiler/cli/exit_code.h"

namespace talweg::cli {

bool is_terminal(std::FILE* stream) { return isatty(fileno(stream)) == 1; }

bool wants_color(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term == nullptr || std::strcmp(term, "dumb") == 0) return false;
  return is_terminal(stream);
}

int terminal_width() {
  winsize size{};
  constexpr int kUnknown = 80;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUnknown;
  return size.ws_col;
}

namespace {

/// Why stdout could not be written, at the first time. A stream forgets: it drops what it could not
/// write, so that the next flush succeeds.
int output_error = 0;

void note_output_error(bool failed) {
  if (failed && output_error == 0) output_error = errno;
}

}  // namespace

void print(std::string_view text) {
  note_output_error(std::fwrite(text.data(), 1, text.size(), stdout) != text.size());
}

void flush_output() { note_output_error(std::fflush(stdout) != 0); }

bool finish_output() {
  flush_output();
  if (output_error == 0 && std::ferror(stdout) == 0) return true;
  fmt::print(stderr, "talweg: standard output could not be written{}{}\n",
             output_error != 0 ? ": " : "", output_error != 0 ? std::strerror(output_error) : "");
  return false;
}

int report(const char* command, const support::Failure& failure) {
  flush_output();
  fmt::print(stderr, "talweg {}: {}\n", command, failure.message);
  return static_cast<int>(failure.kind);
}

}  // namespace talweg::cli
