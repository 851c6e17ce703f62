#include "compiler/cli/subcommands.h"

#include <array>

namespace talweg::cli {

std::span<const Subcommand> subcommands() {
  static constexpr std::array<Subcommand, 16> kTable = {{
      {"check", "check rule files: names, rates, ranges", declare_check},
      {"fmt", "lay out rule files in the canonical form", declare_fmt},
      {"list", "show rules, stages and schedules: talweg list AdamW", declare_list},
      {"plan", "show how a rule runs: passes over memory, bytes, states", declare_plan},
      {"build", "generate a library of kernels with a C interface", declare_build},
      {"targets", "list the machines that libraries can be built for", declare_targets},
      {"devices", "list this machine's processor and its GPUs", declare_devices},
      {"train", "train a model on data with a rule", declare_train},
      {"predict", "use the parameters of a training run on new data", declare_predict},
      {"trace", "run a rule on a test function and print its trajectory", declare_trace},
      {"repl", "define rules and try them as you type", declare_repl},
      {"replay", "run a reference case through a rule and compare", declare_replay},
      {"dump", "print a rule at a stage of its compilation", declare_dump},
      {"explain", "explain a diagnostic at length: talweg explain TW0201", declare_explain},
      {"man", "print manual pages, made of what --help says", declare_man},
      {"completions", "print what makes a shell complete talweg's options", declare_completions},
  }};
  return kTable;
}

}  // namespace talweg::cli
