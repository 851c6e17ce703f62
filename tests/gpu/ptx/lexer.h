// Words of PTX text, each with the line it stands on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace talweg::gpu::ptx {

/// PTX text with its lines, and the one way to refuse something in it.
class Text {
 public:
  explicit Text(std::string text);
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  [[nodiscard]] std::string_view all() const { return text_; }
  /// Without the spaces around it; lines count from 1.
  [[nodiscard]] std::string_view line(std::uint32_t number) const;
  /// Throws Fault: "PTX line 12: `what`: the line".
  [[noreturn]] void refuse(std::uint32_t line, const std::string& what) const;

 private:
  std::string text_;
  std::vector<std::string_view> lines_;
};

enum class TokenKind { Name, Dotted, Integer, Float32, Float64, String, Sign, End };

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text{};  // of Dotted with its dot: ".b64", ".L1::no_allocate"
  std::uint64_t value = 0;  // of numbers; floats as bits
  std::uint32_t line = 0;
  bool glued = false;  // no space between it and the token before
};

std::vector<Token> read_tokens(const Text& text);

}  // namespace talweg::gpu::ptx
