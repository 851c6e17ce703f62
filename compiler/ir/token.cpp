#include "compiler/ir/token.h"

#include <algorithm>
#include <utility>

namespace talweg::ir {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void Lexer::skip_space() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '/' && at(position_ + 1) == '/')
      position_ = std::min(text_.find('\n', position_), text_.size());
    else if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
      ++position_;
    else
      return;
  }
}

Token Lexer::wrong(std::string message, std::size_t offset) {
  return {.kind = Token::Kind::Wrong, .text = std::move(message), .offset = offset};
}

/// A run of word characters. In a number a sign may stand first and after the letter of an
/// exponent.
Token Lexer::word() {
  const std::size_t begin = position_;
  const bool is_number = text_[begin] == '-' || is_digit(text_[begin]);
  ++position_;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    const char before = text_[position_ - 1];
    const bool is_hex =
        text_.substr(begin).starts_with("0x") || text_.substr(begin).starts_with("-0x");
    const bool after_exponent = is_hex ? before == 'p' : before == 'e';
    if (!is_word(c) && !(is_number && after_exponent && (c == '+' || c == '-'))) break;
    ++position_;
  }
  return {.kind = Token::Kind::Word,
          .text = std::string(text_.substr(begin, position_ - begin)),
          .offset = begin};
}

Token Lexer::string() {
  Token token{.kind = Token::Kind::String, .text = {}, .offset = position_};
  for (++position_; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if (c == '"') {
      ++position_;
      return token;
    }
    if (c != '\\') {
      token.text += c;
      continue;
    }
    const std::size_t escape = position_++;
    constexpr std::string_view kLetters = "\"\\ntr";
    constexpr std::string_view kMeanings = "\"\\\n\t\r";
    const auto known = kLetters.find(at(position_));
    const int high = hex_digit(at(position_ + 1));
    const int low = hex_digit(at(position_ + 2));
    if (position_ < text_.size() && known != std::string_view::npos) {
      token.text += kMeanings[known];
    } else if (at(position_) == 'x' && high >= 0 && low >= 0) {
      token.text += static_cast<char>(high * 16 + low);
      position_ += 2;
    } else {
      return wrong("this escape is none of \\\" \\\\ \\n \\t \\r \\xHH", escape);
    }
  }
  return wrong("this text is never closed", token.offset);
}

Token Lexer::next() {
  skip_space();
  const std::size_t begin = position_;
  if (begin >= text_.size()) return {.kind = Token::Kind::End, .text = {}, .offset = text_.size()};
  const char c = text_[begin];
  if (c == '"') return string();
  if (is_word(c) || c == '-') return word();
  ++position_;
  if (c == '%') {
    while (is_digit(at(position_))) ++position_;
    return {.kind = Token::Kind::NodeName,
            .text = std::string(text_.substr(begin + 1, position_ - begin - 1)),
            .offset = begin};
  }
  if (std::string_view("=:,[]()").find(c) != std::string_view::npos)
    return {.kind = Token::Kind::Mark, .text = std::string(1, c), .offset = begin};
  return wrong("this byte has no meaning here", begin);
}

ReadError Lexer::error_at(std::size_t offset, std::string message) const {
  const std::string_view before = text_.substr(0, offset);
  const auto line_begin = before.rfind('\n');
  const std::size_t column =
      line_begin == std::string_view::npos ? offset + 1 : offset - line_begin;
  return {.line = static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n')),
          .column = static_cast<std::uint32_t>(column),
          .message = std::move(message)};
}

}  // namespace talweg::ir
