// Reading of lines: with editing and history on a terminal, plainly elsewhere.
#pragma once

#include <cstddef>
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

  static constexpr std::size_t kMaxLineBytes = 1 << 20;

  /// The next line without its break; nothing at the end of input, or where a line is too long.
  std::optional<std::string> next(const std::string& prompt);
  /// True if input ended because a line had more than kMaxLineBytes.
  [[nodiscard]] bool is_too_long() const { return is_too_long_; }

 private:
  std::optional<std::string> next_plain();

  bool is_too_long_ = false;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace talweg::cli
