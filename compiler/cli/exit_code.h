// What the command's exit status says. Scripts rely on these numbers.
#pragma once

#include "runtime/support/result.h"

namespace talweg::cli {

enum ExitCode : int {
  kOk = 0,
  kProgramWrong = 1,    // the user's rule has errors
  kUsage = 2,           // options
  kFilesAndIo = 3,      // missing, unreadable, full
  kNumericFailure = 4,  // NaN, divergence, a comparison that differs
  kOurBug = 70,
};

/// Prints the failure on stderr as "talweg NAME: message" and gives its exit code.
int report(const char* command, const support::Failure& failure);

}  // namespace talweg::cli
