// talweg repl: reads lines, hands them to a ReplSession, prints what comes back.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/interrupt.h"
#include "compiler/cli/line_editor.h"
#include "compiler/cli/repl_session.h"
#include "compiler/cli/subcommands.h"

namespace talweg::cli {

namespace {

int run(const std::vector<std::filesystem::path>& include_dirs) {
  const bool interactive = is_terminal(stdin) && is_terminal(stdout);
  LineReader reader(interactive, "");
  ReplSession session(include_dirs, wants_color(stderr));
  if (interactive)
    print("talweg " TALWEG_VERSION "; :help lists what can be typed, :quit leaves\n");
  InterruptGuard interrupt(InterruptGuard::Repeated::IsTheSame);
  bool more = false;
  while (true) {
    std::fflush(stdout);
    const auto line = reader.next(more ? "   ...> " : "talweg> ");
    if (!line && interrupt.take()) {
      if (!interactive) return kProgramWrong;
      session.cancel();
      more = false;
      print("\n");
      continue;
    }
    if (reader.is_too_long()) {
      fmt::print(stderr, "talweg repl: a line has more than {} bytes; is this a text?\n",
                 LineReader::kMaxLineBytes);
      return kProgramWrong;
    }
    if (!line && !more) break;
    const ReplSession::Reply reply = session.feed(line.value_or(""), interrupt.flag());
    interrupt.take();
    print(reply.output);
    std::fflush(stdout);
    std::fwrite(reply.error.data(), 1, reply.error.size(), stderr);
    more = reply.more;
    if (reply.quit || !line) break;
  }
  if (interactive) print("\n");
  return !interactive && session.had_errors() ? kProgramWrong : kOk;
}

}  // namespace

std::function<int()> declare_repl(CLI::App& app) {
  auto include_dirs = std::make_shared<std::vector<std::filesystem::path>>();
  declare_include(app, *include_dirs);
  return [include_dirs] { return run(*include_dirs); };
}

}  // namespace talweg::cli
