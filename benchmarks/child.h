// A program run to its end, for what can only be measured once a process.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace talweg::benchmarks {

struct ChildRun {
  std::string output;  // of stdout
  double seconds = 0;  // from the call that starts it to its end
};

/// Runs `words` (the program first, by path) with stderr left as it is; nothing unless it ends
/// well.
std::optional<ChildRun> run_child(const std::vector<std::string>& words);

}  // namespace talweg::benchmarks
