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

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

bool finish_output() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  fmt::print(stderr, "talweg: standard output could not be written{}{}\n", errno ? ": " : "",
             errno ? std::strerror(errno) : "");
  return false;
}

int report(const char* command, const support::Failure& failure) {
  std::fflush(stdout);
  fmt::print(stderr, "talweg {}: {}\n", command, failure.message);
  return static_cast<int>(failure.kind);
}

}  // namespace talweg::cli
