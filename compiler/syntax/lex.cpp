// Runs ANTLR's lexer and turns its tokens, which count code points, into ours, which count bytes.
#include <algorithm>
#include <array>

#include "TalwegLexer.h"
#include "TalwegParser.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

using base::DiagnosticKind;

namespace {

/// The kind of a token of ANTLR's lexer.
TokenKind kind_of(std::size_t type) {
  switch (type) {
#define TALWEG_TOKEN(grammar_name, name, text, flags) \
  case TalwegParser::grammar_name:                    \
    return TokenKind::name;
#include "compiler/syntax/tokens.inc"
#undef TALWEG_TOKEN
  }
  return TokenKind::End;
}

/// An operator of other languages or of print, and ours.
struct ForeignOperator {
  std::string_view theirs;
  TokenKind kind;
  std::string_view ours;
};

constexpr std::array kForeignOperators = {
    ForeignOperator{"&&", TokenKind::And, "and"},
    ForeignOperator{"||", TokenKind::Or, "or"},
    ForeignOperator{"!", TokenKind::Not, "not"},
    ForeignOperator{"**", TokenKind::Caret, "^"},
    ForeignOperator{":=", TokenKind::Assign, "="},
    ForeignOperator{"===", TokenKind::Equal, "=="},
    ForeignOperator{"!==", TokenKind::NotEqual, "!="},
    ForeignOperator{"<>", TokenKind::NotEqual, "!="},
    ForeignOperator{"~=", TokenKind::NotEqual, "!="},
    ForeignOperator{"\u2212", TokenKind::Minus, "-"},
    ForeignOperator{"\u00D7", TokenKind::Star, "*"},
    ForeignOperator{"\u00B7", TokenKind::Star, "*"},
    ForeignOperator{"\u22C5", TokenKind::Star, "*"},
    ForeignOperator{"\u00F7", TokenKind::Slash, "/"},
    ForeignOperator{"\u2264", TokenKind::LessEqual, "<="},
    ForeignOperator{"\u2265", TokenKind::GreaterEqual, ">="},
    ForeignOperator{"\u2260", TokenKind::NotEqual, "!="},
};

/// What to write for a character that is not of the language; empty if nothing comes to mind.
std::string_view advice_for(std::string_view character) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kAdvice = {{
      {"?", "a choice is written `if c then a else b`"},
      {"&", "`and` joins two conditions"},
      {"~", "`not` negates a condition"},
      {"'", "texts stand in double quotes"},
      {"\u221E", "infinity is written `inf`"},
      {"\u221A", "a square root is written `sqrt(x)`"},
      {"\u00B2", "a square is written `x^2`"},
      {"\u00B3", "a cube is written `x^3`"},
      {"\u2190", "a value is assigned with `=`"},
      {"\u2032", "a name may not hold a prime; write `g_next`, say"},
      {"\u2018", "texts stand in plain double quotes"},
      {"\u201C", "texts stand in plain double quotes"},
  }};
  for (const auto& [wrong, advice] : kAdvice)
    if (wrong == character) return advice;
  return {};
}

/// What to write for digits that run into letters.
std::string number_advice(std::string_view text) {
  const std::size_t letters = text.find_first_not_of("0123456789._");
  const std::string_view digits = text.substr(0, letters);
  const std::string_view suffix = letters == std::string_view::npos ? "" : text.substr(letters);
  if (digits == "0" && suffix.size() > 1) return "numbers are decimal";
  if (suffix == "f" || suffix == "F" || suffix == "L")
    return fmt::format("numbers have no suffix: write `{}`", digits);
  const bool exponent = suffix.starts_with('e') || suffix.starts_with('E');
  if (suffix.empty() || suffix.starts_with('_') || (exponent && suffix.size() == 1))
    return "numbers are written `10_000`, `0.5` or `1e-3`";
  return fmt::format("a product needs its sign: `{} * {}`", digits, suffix);
}

/// Byte offsets of code points, asked for in rising order.
class ByteOffsets {
 public:
  ByteOffsets(std::string_view text, std::size_t first_byte) : text_(text), byte_(first_byte) {}
  std::uint32_t at(std::size_t code_point) {
    for (; code_point_ < code_point && byte_ < text_.size(); ++code_point_) do
        ++byte_;
      while (byte_ < text_.size() && (static_cast<unsigned char>(text_[byte_]) & 0xC0) == 0x80);
    return static_cast<std::uint32_t>(byte_);
  }

 private:
  std::string_view text_;
  std::size_t byte_;
  std::size_t code_point_ = 0;
};

/// The text of a /// line without its slashes and the space after them.
std::string_view doc_text(std::string_view line) {
  line.remove_prefix(3);
  if (line.starts_with(' ')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

/// Sorts lexed tokens into those the parser sees, comments that document, and mistakes.
class Collector {
 public:
  explicit Collector(const Input& input) : input_(input) {}

  /// False if the token is too long to go on.
  bool add(Token token) {
    if (token.kind == TokenKind::Doc) {
      add_doc(token);
      return true;
    }
    if (token.kind == TokenKind::Unknown || token.kind == TokenKind::BadComment) {
      if (token.kind == TokenKind::Unknown)
        report_unknown(token);
      else
        report(DiagnosticKind::ForeignComment, token)
            .help("a comment begins with `//` and ends with its line");
      return true;
    }
    if (token.kind == TokenKind::Foreign) token.kind = replace_foreign(token);
    if (token.kind == TokenKind::BadText) {
      report(DiagnosticKind::UnclosedText, token).help("end the text with `\"` on the same line");
      token.kind = TokenKind::Text;
    }
    if (token.kind == TokenKind::BadNumber) {
      if (!check_length(token)) return false;
      report_bad_number(token);
      token.kind = TokenKind::Number;
    }
    if (!check_length(token)) return false;
    if (doc_ && token.line == doc_line_ + 1) list_.docs[token.begin] = *doc_;
    doc_.reset();
    list_.tokens.push_back(token);
    return true;
  }

  [[nodiscard]] std::size_t count() const { return list_.tokens.size(); }
  TokenList finish() && { return std::move(list_); }

 private:
  template <class... Args>
  base::DiagnosticBuilder report(DiagnosticKind kind, const Token& token, const Args&... args) {
    list_.reported.push_back(token.begin);
    return input_.diagnostics.report(kind, input_.span(token), args...);
  }

  void add_doc(const Token& token) {
    if (!list_.tokens.empty() && list_.tokens.back().line == token.line) return;
    const bool continues = doc_ && token.line == doc_line_ + 1;
    if (continues)
      *doc_ += '\n';
    else
      doc_.emplace();
    *doc_ += doc_text(input_.text(token));
    doc_line_ = token.line;
  }

  TokenKind replace_foreign(const Token& token) {
    const std::string_view text = input_.text(token);
    const auto* found =
        std::find_if(kForeignOperators.begin(), kForeignOperators.end(),
                     [&](const ForeignOperator& row) { return row.theirs == text; });
    input_.diagnostics
        .report(DiagnosticKind::ForeignOperator, input_.span(token), text, found->ours)
        .help(fmt::format("write `{}`", found->ours));
    return found->kind;
  }

  void report_unknown(const Token& token) {
    const bool same_run = !list_.reported.empty() && token.begin == unknown_end_;
    unknown_end_ = token.end;
    if (same_run || input_.diagnostics.full()) return;
    const std::string_view text = input_.text(token);
    const bool printable = static_cast<unsigned char>(text[0]) > 0x20 && text[0] != 0x7F;
    auto built =
        report(DiagnosticKind::UnexpectedCharacter, token,
               printable ? fmt::format("`{}`", text)
                         : fmt::format("the character with code {}", static_cast<int>(text[0])));
    if (const std::string_view advice = advice_for(text); !advice.empty())
      built.help(std::string(advice));
  }

  void report_bad_number(const Token& token) {
    const std::string_view text = input_.text(token);
    report(DiagnosticKind::MalformedNumber, token, text).help(number_advice(text));
  }

  bool check_length(const Token& token) {
    const std::size_t length = token.end - token.begin;
    const bool is_number = token.kind == TokenKind::Number || token.kind == TokenKind::BadNumber;
    const std::size_t most = is_number ? Limits::kMaxNumberBytes : Limits::kMaxNameBytes;
    const bool counts = is_number || token.kind == TokenKind::Name || token.kind == TokenKind::Text;
    if (!counts || length <= most) return true;
    const DiagnosticKind kind = is_number                       ? DiagnosticKind::NumberTooLong
                                : token.kind == TokenKind::Name ? DiagnosticKind::NameTooLong
                                                                : DiagnosticKind::TextTooLong;
    input_.diagnostics.report(kind, input_.span(token), length, most);
    return false;
  }

  const Input& input_;
  TokenList list_;
  std::optional<std::string> doc_;  // of the /// lines just read
  std::uint32_t doc_line_ = 0;
  std::uint32_t unknown_end_ = 0;
};

}  // namespace

std::optional<TokenList> lex(const Input& input) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const std::string_view text = input.source().text();
  const std::size_t skipped = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  antlr4::ANTLRInputStream stream{std::string(text.substr(skipped))};
  TalwegLexer lexer(&stream);
  lexer.removeErrorListeners();
  ByteOffsets offsets(text, skipped);
  Collector collector(input);
  while (true) {
    const std::unique_ptr<antlr4::Token> token = lexer.nextToken();
    if (token->getType() == antlr4::Token::EOF) break;
    const std::uint32_t begin = offsets.at(token->getStartIndex());
    const std::uint32_t end = offsets.at(token->getStopIndex() + 1);
    const Token ours{kind_of(token->getType()), begin, end,
                     static_cast<std::uint32_t>(token->getLine())};
    if (!collector.add(ours)) return std::nullopt;
    if (collector.count() > Limits::kMaxTokens) {
      input.diagnostics.report(DiagnosticKind::TooManyTokens, input.span(ours), Limits::kMaxTokens);
      return std::nullopt;
    }
  }
  TokenList list = std::move(collector).finish();
  const std::uint32_t last = list.tokens.empty() ? 0 : list.tokens.back().end;
  const std::uint32_t last_line = list.tokens.empty() ? 1 : list.tokens.back().line;
  list.tokens.push_back({TokenKind::End, last, last, last_line});
  return list;
}

}  // namespace talweg::syntax
