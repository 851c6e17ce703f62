// Walks over tokens; what is expected and not there is refused with its line.
#pragma once

#include <algorithm>
#include <string>

#include "tests/gpu/ptx/lexer.h"

namespace talweg::gpu::ptx {

class TokenReader {
 public:
  explicit TokenReader(const Text& text) : text_(text), tokens_(read_tokens(text)) {}

  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& take() { return tokens_[std::min(at_++, tokens_.size() - 1)]; }
  [[nodiscard]] bool is(std::string_view text) const {
    return peek().text == text && peek().kind != TokenKind::String;
  }
  bool accept(std::string_view text) {
    if (!is(text)) return false;
    take();
    return true;
  }
  void expect(std::string_view text) {
    if (!accept(text)) refuse("'" + std::string(text) + "' expected");
  }
  std::string name() {
    if (peek().kind != TokenKind::Name) refuse("a name expected");
    return std::string(take().text);
  }
  std::uint64_t integer() {
    if (peek().kind != TokenKind::Integer) refuse("an integer expected");
    return take().value;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    text_.refuse(peek().line,
                 what + (peek().text.empty() ? "" : ", not '" + std::string(peek().text) + "'"));
  }
  [[nodiscard]] const Text& text() const { return text_; }

 private:
  const Text& text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace talweg::gpu::ptx
