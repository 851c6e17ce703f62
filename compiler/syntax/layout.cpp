// The rule for line ends stands in grammar/Talweg.g4.
#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

namespace {

class Layout {
 public:
  void add(const Token& token) {
    if (token.kind == TokenKind::Semicolon && !in_parentheses()) {
      separate(token);
      return;
    }
    if (breaks_before(token))
      separate({TokenKind::Separator, out_.back().end, out_.back().end, out_.back().line});
    if ((token.kind == TokenKind::RightBrace || token.kind == TokenKind::End) && ends_separated())
      out_.pop_back();
    track_brackets(token);
    out_.push_back(token);
    if (token.kind == TokenKind::If) levels_.back().waiting_ifs.push_back(out_.size() - 1);
  }

  std::vector<Token> finish() && { return std::move(out_); }

 private:
  struct Level {
    TokenKind opener;
    std::vector<std::size_t> waiting_ifs;  // in out_, neither `then` nor `{` seen yet
  };

  [[nodiscard]] bool in_parentheses() const {
    return levels_.back().opener == TokenKind::LeftParen ||
           levels_.back().opener == TokenKind::LeftBracket;
  }
  [[nodiscard]] bool ends_separated() const {
    return !out_.empty() && out_.back().kind == TokenKind::Separator;
  }
  [[nodiscard]] bool breaks_before(const Token& token) const {
    if (out_.empty() || out_.back().line == token.line || in_parentheses() ||
        token.kind == TokenKind::End)
      return false;
    const TokenKind before = out_.back().kind;
    // A word of the language taken for a name, as in `state view`: the next line is still one of
    // its own.
    if (has(before, kRuleItem | kDeclares) && has(token.kind, kRuleItem | kDeclares)) return true;
    return has(before, kEnds) && !has(token.kind, kContinues);
  }

  void separate(Token token) {
    levels_.back().waiting_ifs.clear();
    if (out_.empty() || ends_separated() || out_.back().kind == TokenKind::LeftBrace) return;
    token.kind = TokenKind::Separator;
    out_.push_back(token);
  }

  /// Keeps the stack of brackets, and decides what a waiting `if` is.
  void track_brackets(const Token& token) {
    std::vector<std::size_t>& ifs = levels_.back().waiting_ifs;
    if (token.kind == TokenKind::Then && !ifs.empty()) {
      out_[ifs.back()].kind = TokenKind::IfThen;
      ifs.pop_back();
    }
    if (token.kind == TokenKind::LeftBrace && !ifs.empty()) ifs.pop_back();
    if (has(token.kind, kOpens)) levels_.push_back({token.kind, {}});
    if (has(token.kind, kCloses)) levels_.pop_back();
  }

  std::vector<Token> out_;
  std::vector<Level> levels_{{TokenKind::End, {}}};
};

}  // namespace

void lay_out(TokenList& list) {
  Layout layout;
  for (const Token& token : list.tokens) layout.add(token);
  list.tokens = std::move(layout).finish();
}

}  // namespace talweg::syntax
