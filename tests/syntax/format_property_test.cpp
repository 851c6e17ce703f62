// Formatting, over every rule file there is and thousands of other layouts of them: the tree, the
// comments and the words stay, and formatting again changes nothing.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "compiler/syntax/format.h"
#include "compiler/syntax/token_passes.h"
#include "tests/syntax/parsing.h"

using namespace talweg;
using syntax::Token;
using syntax::TokenKind;

namespace {

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The fenced examples of a page that are talweg.
void add_examples(const std::string& page, std::vector<std::string>& texts) {
  for (std::size_t at = 0; (at = page.find("```talweg", at)) != std::string::npos;) {
    const std::size_t begin = page.find('\n', at) + 1;
    const std::size_t end = page.find("```", begin);
    texts.push_back(page.substr(begin, end - begin));
    at = end + 3;
  }
}

/// Every text of the repository that parses.
std::vector<std::string> corpus() {
  const std::filesystem::path root = TALWEG_SOURCE_DIR;
  std::vector<std::string> texts;
  for (const char* folder : {"stdlib", "examples", "tests", "docs"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file()) continue;
      if (entry.path().extension() == ".tw") texts.push_back(read(entry.path()));
      if (entry.path().extension() == ".md") add_examples(read(entry.path()), texts);
    }
  for (const char* page : {"README.md", "ARCHITECTURE.md"}) add_examples(read(root / page), texts);
  std::erase_if(texts, [](const std::string& text) {
    return text.size() > 20'000 || test::parse(text).diagnostics.has_errors();
  });
  return texts;
}

/// A text as its tokens, and where separators must stand.
struct Words {
  base::Sources sources;
  base::Diagnostics diagnostics;
  std::string source;
  std::vector<Token> tokens;
  std::vector<bool> separated;  // from the token before

  explicit Words(std::string text) : source(std::move(text)) {
    const base::SourceId id = sources.add("test.tw", source);
    auto list = syntax::lex({id, sources, diagnostics});
    REQUIRE(list);
    syntax::lay_out(*list);
    bool separate = false;
    for (const Token& token : list->tokens) {
      const bool separates = token.kind == TokenKind::Separator;
      if (!separates) {
        tokens.push_back(token);
        separated.push_back(separate);
      }
      separate = separates;
    }
  }
  [[nodiscard]] std::string text(std::size_t i) const {
    return source.substr(tokens[i].begin, tokens[i].end - tokens[i].begin);
  }
  /// All tokens but separators, and but the `=` before a block.
  [[nodiscard]] std::string ink() const {
    std::string result;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool left_out = tokens[i].kind == TokenKind::Assign && i + 1 < tokens.size() &&
                            tokens[i + 1].kind == TokenKind::LeftBrace;
      if (!left_out) result += text(i) + '\n';
    }
    return result;
  }
};

/// The comments of a text in order. Texts between quotes have no slashes in the corpus.
std::string comments(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; (at = text.find("//", at)) != std::string::npos;) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string comment = text.substr(at, end - at);
    result += comment.substr(0, comment.find_last_not_of(" \t") + 1) + '\n';
    at = end;
  }
  return result;
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  /// The same words with other blanks, line breaks, separators and comments.
  std::string other_layout(const Words& words) {
    std::string result;
    std::vector<TokenKind> open = {TokenKind::End};
    for (std::size_t i = 0; i < words.tokens.size(); ++i) {
      const Token& token = words.tokens[i];
      const bool in_parentheses =
          open.back() == TokenKind::LeftParen || open.back() == TokenKind::LeftBracket;
      if (i > 0) {
        const TokenKind before = words.tokens[i - 1].kind;
        constexpr unsigned kWords = syntax::kRuleItem | syntax::kDeclares;
        const bool words_of_items = syntax::has(before, kWords) && syntax::has(token.kind, kWords);
        const bool may_break = in_parentheses || !syntax::has(before, syntax::kEnds) ||
                               syntax::has(token.kind, syntax::kContinues) ||
                               token.kind == TokenKind::End;
        if (words.separated[i])
          result += separator();
        else
          result += may_break && !words_of_items && one_in(6) ? line_break() : blanks(words, i);
      }
      if (syntax::has(token.kind, syntax::kOpens)) open.push_back(token.kind);
      if (syntax::has(token.kind, syntax::kCloses)) open.pop_back();
      result += words.text(i);
    }
    return result + (one_in(2) ? "\n" : comment());
  }

  /// The same text with other blanks between the words of its lines.
  std::string other_blanks(const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at) + 1;
      const std::string line = text.substr(at, end - at);
      const std::size_t comment = std::min(line.find("//"), line.size());
      for (std::size_t i = 0; i < line.size(); ++i) {
        result += line[i];
        if (i < comment && line[i] == ' ') result.append(random_() % 3, ' ');
      }
      at = end;
    }
    return result;
  }

 private:
  bool one_in(unsigned n) { return random_() % n == 0; }
  std::string comment() {
    return (one_in(3)   ? "///"
            : one_in(2) ? "//"
                        : "// ") +
           std::string(one_in(2) ? "a b" : "") + (one_in(3) ? "  \n" : "\n");
  }
  std::string line_break() {
    std::string result;
    if (one_in(3)) result += std::string(1 + random_() % 3, ' ') + comment();
    while (result.empty() || one_in(3))
      result += one_in(3) ? "   " + comment() : one_in(8) ? "\r\n" : "\n";
    return result + std::string(random_() % 5, ' ');
  }
  std::string separator() {
    std::string result = one_in(5) ? ";" : one_in(5) ? " ;" + line_break() : line_break();
    if (one_in(20)) result += ";";
    return result;
  }
  std::string blanks(const Words& words, std::size_t i) {
    const auto is_word = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ||
             (static_cast<unsigned char>(c) & 0x80) != 0;
    };
    const std::string before = words.text(i - 1), after = words.text(i);  // the end has no text
    const bool sticks =
        !before.empty() && !is_word(before.back()) && !after.empty() && is_word(after.front());
    if (sticks && one_in(2)) return "";
    return one_in(4) ? "\t  " : " ";
  }

  std::mt19937 random_;
};

std::string formatted(const std::string& text) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const auto result = syntax::format(sources.add("test.tw", text), sources, diagnostics);
  INFO(text);
  INFO(base::render_text(diagnostics, sources, false));
  REQUIRE(result);
  return *result;
}

void check_properties(const std::string& text) {
  const std::string once = formatted(text);
  INFO("----\n" << text << "----\n" << once);
  REQUIRE(formatted(once) == once);
  REQUIRE(syntax::print(test::parse(once).module) == syntax::print(test::parse(text).module));
  std::string unix_text = text;
  std::erase(unix_text, '\r');
  REQUIRE(comments(once) == comments(unix_text));
  REQUIRE(Words(once).ink() == Words(text).ink());
  REQUIRE(once.find(" \n") == std::string::npos);
  REQUIRE(once.find("\n\n\n") == std::string::npos);
}

}  // namespace

TEST_CASE("every rule file keeps its meaning when it is formatted") {
  const auto texts = corpus();
  REQUIRE(texts.size() > 100);
  for (const std::string& text : texts) {
    check_properties(text);
    const std::string once = formatted(text);
    for (std::uint32_t seed = 0; seed < 3; ++seed)
      REQUIRE(formatted(Mutator(seed).other_blanks(once)) == once);
  }
}

TEST_CASE("every layout of a rule file keeps its meaning when it is formatted") {
  constexpr int kLayouts = 3000;
  const auto texts = corpus();
  std::vector<Words> words;
  words.reserve(texts.size());
  for (const std::string& text : texts) words.emplace_back(text);
  Mutator mutator(1);
  int checked = 0;
  for (int i = 0; i < kLayouts; ++i) {
    const std::string text =
        mutator.other_layout(words[static_cast<std::size_t>(i) % words.size()]);
    const test::Parsed parsed = test::parse(text);
    INFO(text << parsed.messages());
    REQUIRE_FALSE(parsed.diagnostics.has_errors());
    check_properties(text);
    ++checked;
  }
  CHECK(checked == kLayouts);
}
