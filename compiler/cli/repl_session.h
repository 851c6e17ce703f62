// What the REPL knows and does, apart from reading lines: definitions typed so far, commands, runs.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/cli/front_end.h"

namespace talweg::cli {

class ReplSession {
 public:
  explicit ReplSession(std::vector<std::filesystem::path> include_dirs, bool color);

  struct Reply {
    std::string output;  // for stdout
    std::string error;   // for stderr
    bool more = false;   // the input is not finished: more lines are needed
    bool quit = false;
  };
  /// One line of input, continuing earlier ones where those asked for more. `stop` ends a run that
  /// goes on.
  Reply feed(std::string_view line, const std::atomic<bool>& stop);
  /// Drops an unfinished input (Ctrl-C).
  void cancel() {
    pending_.clear();
    pending_lines_ = 0;
  }
  /// True if any input was wrong so far: what a script fed to the REPL ends with.
  [[nodiscard]] bool had_errors() const { return had_errors_; }

 private:
  struct Definition {
    std::string name;
    std::string text;
  };
  struct Command;
  static const std::vector<Command>& commands();

  Reply run_command(std::string_view line);
  Reply evaluate(const std::string& text);
  Reply define(const std::string& text, std::vector<Definition> fresh);
  Reply evaluate_expression(const std::string& text);
  Reply failed(std::string error);

  Reply help(std::string_view argument);
  Reply list(std::string_view argument);
  Reply show(std::string_view argument);
  Reply run(std::string_view argument);
  Reply load(std::string_view argument);
  Reply save(std::string_view argument);
  Reply set_dtype(std::string_view argument);
  Reply explain(std::string_view argument);
  Reply quit(std::string_view argument);

  [[nodiscard]] std::string program_text(const std::vector<Definition>& definitions) const;
  /// A compilation that has the definitions as module "repl"; errors are in its diagnostics.
  std::unique_ptr<Compilation> compile_definitions(const std::vector<Definition>& definitions);
  std::string rendered(const Compilation& compilation) const;

  std::vector<std::filesystem::path> include_dirs_;
  bool color_;
  std::vector<Definition> definitions_;
  std::string pending_;
  int pending_lines_ = 0;
  std::string dtype_ = "float64";
  bool had_errors_ = false;
  const std::atomic<bool>* stop_ = nullptr;  // of the line being fed
};

}  // namespace talweg::cli
