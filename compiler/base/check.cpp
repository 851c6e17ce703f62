#include "compiler/base/check.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace talweg::base {

void check_failed(const char* condition, std::string_view message, const char* file, int line) {
  const char* name = std::strstr(file, "compiler/");
  std::fprintf(
      stderr,
      "talweg: internal error: %.*s\n  %s, at %s:%d\n"
      "This is a bug in talweg, not in your program. Please report these lines, the command\n"
      "you ran and the files it read.\n",
      static_cast<int>(message.size()), message.data(), condition, name ? name : file, line);
  std::fflush(nullptr);
  std::_Exit(70);
}

}  // namespace talweg::base
