#include "compiler/cli/interrupt.h"

#include <csignal>

namespace talweg::cli {

namespace {

// A signal handler can reach nothing but what is global.
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) { interrupted = true; }

void handle(int number, int flags) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = flags;  // no SA_RESTART: a read that waits is interrupted
  sigaction(number, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard(Repeated repeated) {
  interrupted = false;
  const bool once = repeated == Repeated::EndsProcess;
  handle(SIGINT, once ? static_cast<int>(SA_RESETHAND) : 0);
  if (once) handle(SIGTERM, static_cast<int>(SA_RESETHAND));
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>& InterruptGuard::flag() const { return interrupted; }

bool InterruptGuard::take() { return interrupted.exchange(false); }

}  // namespace talweg::cli
