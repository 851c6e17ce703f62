#include "tests/gpu/ptx/lexer.h"

#include <algorithm>
#include <charconv>

#include "tests/gpu/executor.h"

namespace talweg::gpu::ptx {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '%';
}
bool continues_name(char c) { return (starts_name(c) && c != '%') || is_digit(c); }

class Lexer {
 public:
  explicit Lexer(const Text& text) : text_(text), rest_(text.all()) {}

  std::vector<Token> run() {
    for (;;) {
      const bool spaced = skip_spaces();
      Token token = next();
      token.glued = !spaced;
      tokens_.push_back(token);
      if (token.kind == TokenKind::End) return std::move(tokens_);
    }
  }

 private:
  [[nodiscard]] char at(std::size_t i) const { return i < rest_.size() ? rest_[i] : '\0'; }

  /// Spaces and comments; whether there were any.
  bool skip_spaces() {
    const std::size_t before = rest_.size();
    for (;;) {
      if (at(0) == '\n') ++line_;
      if (at(0) == ' ' || at(0) == '\t' || at(0) == '\n' || at(0) == '\r') {
        rest_.remove_prefix(1);
      } else if (at(0) == '/' && at(1) == '/') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (at(0) == '/' && at(1) == '*') {
        const std::size_t end = rest_.find("*/", 2);
        if (end == std::string_view::npos) text_.refuse(line_, "a comment without an end");
        line_ += static_cast<std::uint32_t>(std::ranges::count(rest_.substr(0, end), '\n'));
        rest_.remove_prefix(end + 2);
      } else {
        return rest_.size() != before;
      }
    }
  }

  Token take(TokenKind kind, std::size_t length, std::uint64_t value = 0) {
    const Token token{kind, rest_.substr(0, length), value, line_};
    rest_.remove_prefix(length);
    return token;
  }

  Token next() {
    if (rest_.empty()) return {.line = line_};
    if (is_digit(at(0))) return number();
    std::size_t length = 1;
    if (starts_name(at(0))) {
      while (continues_name(at(length))) ++length;
      return take(TokenKind::Name, length);
    }
    if (at(0) == '.' && (continues_name(at(1)))) {
      while (continues_name(at(length)) || (at(length) == ':' && at(length + 1) == ':') ||
             (at(length) == ':' && at(length - 1) == ':'))
        ++length;
      return take(TokenKind::Dotted, length);
    }
    if (at(0) == '"') {
      const std::size_t end = rest_.find('"', 1);
      if (end == std::string_view::npos) text_.refuse(line_, "a string without an end");
      return take(TokenKind::String, end + 1);
    }
    if (std::string_view("{}()[]<>,;:|!@+-=").find(at(0)) == std::string_view::npos)
      text_.refuse(line_, std::string("unknown character '") + at(0) + "'");
    return take(TokenKind::Sign, 1);
  }

  Token number() {
    if (at(0) == '0' && (at(1) == 'f' || at(1) == 'F')) return digits(TokenKind::Float32, 2, 16, 8);
    if (at(0) == '0' && (at(1) == 'd' || at(1) == 'D'))
      return digits(TokenKind::Float64, 2, 16, 16);
    if (at(0) == '0' && (at(1) == 'x' || at(1) == 'X')) return digits(TokenKind::Integer, 2, 16, 0);
    if (at(0) == '0' && (at(1) == 'b' || at(1) == 'B')) return digits(TokenKind::Integer, 2, 2, 0);
    if (at(0) == '0' && is_digit(at(1))) return digits(TokenKind::Integer, 1, 8, 0);
    return digits(TokenKind::Integer, 0, 10, 0);
  }

  /// `count`: of digits that there must be; 0: any.
  Token digits(TokenKind kind, std::size_t prefix, int base, std::size_t count) {
    std::uint64_t value = 0;
    const char* begin = rest_.data() + prefix;
    const auto [end, error] = std::from_chars(begin, rest_.data() + rest_.size(), value, base);
    const auto found = static_cast<std::size_t>(end - begin);
    if (error != std::errc() || found == 0 || (count != 0 && found != count))
      text_.refuse(line_, "a number that cannot be read");
    std::size_t length = prefix + found;
    if (kind == TokenKind::Integer && at(length) == 'U') ++length;
    if (continues_name(at(length)) || (at(length) == '.' && is_digit(at(length + 1)) &&
                                       (tokens_.empty() || tokens_.back().text != ".version")))
      text_.refuse(line_, "a number that cannot be read");
    return take(kind, length, value);
  }

  const Text& text_;
  std::string_view rest_;
  std::uint32_t line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

Text::Text(std::string text) : text_(std::move(text)) {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines_.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

std::string_view Text::line(std::uint32_t number) const {
  if (number == 0 || number > lines_.size()) return "(the end of the text)";
  std::string_view line = lines_[number - 1];
  line = line.substr(0, line.find("//"));
  const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  line.remove_prefix(begin);
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

void Text::refuse(std::uint32_t number, const std::string& what) const {
  throw Fault("PTX line " + std::to_string(number) + ": " + what + ": " +
              std::string(line(number)));
}

std::vector<Token> read_tokens(const Text& text) { return Lexer(text).run(); }

}  // namespace talweg::gpu::ptx
