// Counts how deep a recursive parser would go, without recursing: brackets, `-` and `not` in front
// of values, right-associative powers, and ifs within ifs or behind `else`.
#include "compiler/syntax/parse.h"
#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

namespace {

/// What is open between one bracket and its partner.
struct Level {
  int tight = 0;  // signs and powers: until the next looser operator
  int nots = 0;   // until `and` or `or`
  int ifs = 0;    // until the end of the statement or argument
  [[nodiscard]] int depth() const { return tight + nots + ifs; }
};

/// Takes the next token into account, `prefix` if a value is due at it.
void count(Level& level, TokenKind kind, bool prefix) {
  if (kind == TokenKind::Separator || kind == TokenKind::Comma) {
    level = {};
  } else if (kind == TokenKind::Then || kind == TokenKind::Else || kind == TokenKind::And ||
             kind == TokenKind::Or) {
    level.tight = level.nots = 0;
  } else if (kind == TokenKind::If || kind == TokenKind::IfThen) {
    ++level.ifs;
  } else if (kind == TokenKind::Not) {
    ++level.nots;
  } else if (kind == TokenKind::Caret || (kind == TokenKind::Minus && prefix)) {
    ++level.tight;
  } else if (has(kind, kOperator)) {
    level.tight = 0;
  }
}

}  // namespace

bool check_nesting(const Input& input, const TokenList& list) {
  std::vector<Level> levels(1);
  int outer = 0;  // depth of all levels but the last, and one for each bracket
  TokenKind before = TokenKind::Separator;
  for (const Token& token : list.tokens) {
    if (has(token.kind, kCloses)) {
      levels.pop_back();
      outer -= levels.back().depth() + 1;
    } else if (has(token.kind, kOpens)) {
      outer += levels.back().depth() + 1;
      levels.emplace_back();
    } else {
      count(levels.back(), token.kind, !has(before, kEnds));
    }
    before = token.kind;
    if (outer + levels.back().depth() > Limits::kMaxNesting) {
      report_nesting(input, token);
      return false;
    }
  }
  return true;
}

bool needs_more(const TokenList& list) {
  int open = 0;
  for (const Token& token : list.tokens)
    open += has(token.kind, kOpens) ? 1 : has(token.kind, kCloses) ? -1 : 0;
  if (open != 0) return open > 0;
  if (list.tokens.size() < 2) return false;
  const TokenKind last = list.tokens[list.tokens.size() - 2].kind;
  return !has(last, kEnds) && last != TokenKind::Semicolon;
}

}  // namespace talweg::syntax
