// The words and marks of a graph's text form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/ir/text.h"

namespace talweg::ir {

struct Token {
  enum class Kind : std::uint8_t {
    End,
    Word,      // a bare name, keyword or number
    String,    // `text` is what the quotes held, escapes replaced
    NodeName,  // %12: `text` is "12"
    Mark,      // one of = : , [ ] ( )
    Wrong,     // `text` says what is wrong
  };
  Kind kind = Kind::End;
  std::string text;
  std::size_t offset = 0;  // of its first byte
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  /// The next token; after the last one, End for ever.
  Token next();
  /// An error at a byte.
  [[nodiscard]] ReadError error_at(std::size_t offset, std::string message) const;

 private:
  void skip_space();
  Token word();
  Token string();
  Token wrong(std::string message, std::size_t offset);
  [[nodiscard]] char at(std::size_t offset) const {
    return offset < text_.size() ? text_[offset] : '\0';
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace talweg::ir
