// Finds brackets without partners, and where the missing one most likely belongs, so that
// everything after the mistake is still parsed as it was meant.
//
// Three clues: a declaration at the left margin ends all blocks; a `}` that begins its line belongs
// to the block whose first line is indented alike; a line that begins a statement ends all
// parentheses.
#include <algorithm>

#include "compiler/syntax/parse.h"
#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

using base::DiagnosticKind;

void report_nesting(const Input& input, const Token& token) {
  input.diagnostics.report(DiagnosticKind::NestedTooDeeply, input.span(token), Limits::kMaxNesting)
      .help("give inner parts names with `let`, or move them into a `fn`");
}

namespace {

constexpr std::string_view partner(TokenKind opener) {
  return opener == TokenKind::LeftParen ? ")" : opener == TokenKind::LeftBracket ? "]" : "}";
}

class Balancer {
 public:
  Balancer(const Input& input, TokenList& list) : input_(input), list_(list) {}

  bool run() {
    for (std::size_t i = 0; i < list_.tokens.size(); ++i) {
      if (blame_indentation(i)) {
        // The brackets after a missing one were paired wrongly: pair all of them again.
        out_.clear();
        open_.clear();
        suspects_.clear();
        i = 0;
      }
      if (!step(i)) return false;
    }
    list_.tokens = std::move(out_);
    return true;
  }

 private:
  struct Open {
    Token token;
    std::uint32_t indent;  // of its line
  };
  /// A `}` that closed a block although its indentation is that of an outer one.
  struct Suspect {
    Open opener;
    std::size_t at;  // in the list
  };

  bool step(std::size_t i) {
    const Token& token = list_.tokens[i];
    if (ends_all(i)) close_all(token);
    if (begins_statement(i)) close_parentheses(token);
    if (has(token.kind, kOpens)) {
      if (open_.size() >= static_cast<std::size_t>(Limits::kMaxNesting)) {
        report_nesting(input_, token);
        return false;
      }
      open_.push_back({token, indent(token)});
    } else if (has(token.kind, kCloses) && !close(i)) {
      return true;  // closes nothing: left out
    }
    out_.push_back(token);
    return true;
  }

  /// Takes the partner of the closing bracket from the stack; false if there is none.
  bool close(std::size_t i) {
    const Token& token = list_.tokens[i];
    if (token.kind == TokenKind::RightBrace) {
      const bool opened = std::any_of(open_.begin(), open_.end(), is_brace);
      if (opened) {
        close_parentheses(token);
        note_suspect(i);
        open_.pop_back();
        return true;
      }
    } else if (!open_.empty() && !is_brace(open_.back())) {
      open_.pop_back();
      return true;
    } else if (open_.size() > 1 && open_.back().token.line == token.line &&
               !is_brace(open_[open_.size() - 2])) {
      report_unclosed(open_.back(), token, "expected `}` before this");
      close_top(token.begin);
      open_.pop_back();
      return true;
    }
    list_.reported.push_back(token.begin);
    input_.diagnostics.report(DiagnosticKind::UnmatchedBracket, input_.span(token),
                              input_.text(token));
    return false;
  }

  void note_suspect(std::size_t i) {
    if (!first_of_line(i) || open_.size() < 2) return;
    const std::uint32_t own = indent(list_.tokens[i]);
    if (open_.back().token.line == list_.tokens[i].line || open_.back().indent <= own) return;
    const bool outer = std::any_of(open_.begin(), open_.end() - 1,
                                   [&](const Open& open) { return open.indent == own; });
    if (outer) suspects_.push_back({open_.back(), i});
  }

  [[nodiscard]] bool ends_all(std::size_t i) const {
    return list_.tokens[i].kind == TokenKind::End || at_margin(i, kDeclares);
  }

  /// True if blocks are open where none can be, and the indentation tells which lacks its `}`: it
  /// has been put into the list then.
  bool blame_indentation(std::size_t i) {
    if (!ends_all(i) || suspects_.empty() || input_.diagnostics.full()) return false;
    if (std::none_of(open_.begin(), open_.end(), is_brace)) return false;
    const Suspect suspect = suspects_.front();
    const Token closer = list_.tokens[suspect.at];
    report_unclosed(suspect.opener, closer, "by its indentation, this closes an outer `{`");
    list_.tokens.insert(list_.tokens.begin() + static_cast<std::ptrdiff_t>(suspect.at),
                        {TokenKind::RightBrace, closer.begin, closer.begin, closer.line - 1});
    return true;
  }

  /// Closes every bracket that is open.
  void close_all(const Token& next) {
    const std::string_view here =
        next.kind == TokenKind::End ? "the file ends here" : "the next declaration begins here";
    close_parentheses(next);
    while (!open_.empty()) {
      report_unclosed(open_.back(), next, here);
      close_top(out_.back().end);
    }
    suspects_.clear();
  }

  void close_parentheses(const Token& next) {
    while (!open_.empty() && !is_brace(open_.back())) {
      report_unclosed(open_.back(), next,
                      fmt::format("expected `{}` before this", partner(open_.back().token.kind)));
      close_top(out_.back().end);
    }
  }

  /// Puts in the partner of the innermost open bracket.
  void close_top(std::uint32_t at) {
    const TokenKind opener = open_.back().token.kind;
    const TokenKind kind = opener == TokenKind::LeftParen     ? TokenKind::RightParen
                           : opener == TokenKind::LeftBracket ? TokenKind::RightBracket
                                                              : TokenKind::RightBrace;
    out_.push_back({kind, at, at, out_.back().line});
    open_.pop_back();
  }

  void report_unclosed(const Open& open, const Token& where, std::string_view words) {
    const bool lost_in_text =
        !input_.diagnostics.full() &&
        std::any_of(list_.tokens.begin(), list_.tokens.end(), [&](const Token& token) {
          return token.line == open.token.line && token.kind == TokenKind::Text &&
                 !input_.text(token).substr(1).ends_with('"');
        });
    if (lost_in_text) return;
    list_.reported.push_back(open.token.begin);
    list_.reported.push_back(out_.back().begin);
    auto built = input_.diagnostics.report(DiagnosticKind::UnclosedBracket, input_.span(open.token),
                                           input_.text(open.token), partner(open.token.kind));
    if (where.begin != open.token.begin) built.label(input_.span(where), std::string(words));
  }

  /// True if token `i` cannot stand within parentheses that were meant to go on.
  [[nodiscard]] bool begins_statement(std::size_t i) const {
    if (open_.empty() || is_brace(open_.back()) || !first_of_line(i)) return false;
    const TokenKind kind = list_.tokens[i].kind;
    if (has(kind, kRuleItem | kDeclares) || kind == TokenKind::Let || kind == TokenKind::Var ||
        kind == TokenKind::For)
      return kind != TokenKind::Matrix;
    const TokenKind before = list_.tokens[i - 1].kind;
    const bool can_end = has(before, kEnds);
    return can_end && kind == TokenKind::Name && i + 1 < list_.tokens.size() &&
           has(list_.tokens[i + 1].kind, kAssigns);
  }

  [[nodiscard]] bool first_of_line(std::size_t i) const {
    return i == 0 || list_.tokens[i - 1].line != list_.tokens[i].line;
  }
  [[nodiscard]] bool at_margin(std::size_t i, unsigned flag) const {
    return has(list_.tokens[i].kind, flag) && first_of_line(i) && indent(list_.tokens[i]) == 0;
  }
  /// Blank bytes that open the token's line.
  [[nodiscard]] std::uint32_t indent(const Token& token) const {
    const base::Source& source = input_.source();
    const std::uint32_t start = source.line_start(token.line);
    const std::size_t ink = source.text().find_first_not_of(" \t", start);
    return static_cast<std::uint32_t>(std::min<std::size_t>(ink, token.begin)) - start;
  }
  static bool is_brace(const Open& open) { return open.token.kind == TokenKind::LeftBrace; }

  const Input& input_;
  TokenList& list_;
  std::vector<Token> out_;
  std::vector<Open> open_;
  std::vector<Suspect> suspects_;
};

}  // namespace

bool balance_brackets(const Input& input, TokenList& list) { return Balancer(input, list).run(); }

}  // namespace talweg::syntax
