// Reading of lines: with editing and history on a terminal, plainly elsewhere.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace talweg::cli {

class LineReader {
 public:
  /// `interactive`: lines are edited and remembered (in `history_file`, if not empty).
  LineReader(bool interactive, const std::string& history_file);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line without its break; nothing at the end of input.
  std::optional<std::string> next(const std::string& prompt);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace talweg::cli
