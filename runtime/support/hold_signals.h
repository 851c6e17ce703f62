// What must not be cut off half way: temporary files that are to be removed, files that belong
// together.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace talweg::support {

/// While it lives, Ctrl-C, termination and a terminal that is closed wait, on this thread and those
/// that it starts.
class HoldSignals {
 public:
  HoldSignals() {
    sigset_t held;
    ::sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&held, signal);
    ::pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~HoldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HoldSignals(const HoldSignals&) = delete;
  HoldSignals& operator=(const HoldSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace talweg::support
