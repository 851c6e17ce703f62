#include "compiler/syntax/format/comments.h"

#include <algorithm>

namespace talweg::syntax {

namespace {

constexpr std::size_t kNoToken = static_cast<std::size_t>(-1);

class GapScanner {
 public:
  GapScanner(const Input& input, Comments& result)
      : input_(input), text_(input.source().text()), result_(result) {}

  /// Reads bytes [at, end) between token `left` (or none) and token `right`.
  void scan(std::size_t at, std::size_t end, std::size_t left, std::size_t right) {
    Gap& gap = result_.before[right];
    int breaks = 0;  // since the last comment or the token
    bool after_semicolon = false;
    const auto is_blank_before = [&] { return breaks > 1 || (after_semicolon && breaks > 0); };
    while (at < end) {
      if (text_.substr(at, 2) != "//") {
        if (text_[at] == '\n') {
          ++breaks;
          gap.breaks = true;
        }
        // What stands above a lone `;` is not the documentation of what stands below it.
        if (text_[at] == ';' && !gap.comments.empty()) after_semicolon = true;
        ++at;
        continue;
      }
      const std::size_t stop = std::min(text_.find_first_of("\r\n", at), end);
      check_end(stop);
      const std::string_view comment = trimmed(text_.substr(at, stop - at));
      if (!gap.breaks && left != kNoToken)
        result_.behind[left] = comment;
      else
        gap.comments.push_back({comment, is_blank_before()});
      breaks = 0;
      after_semicolon = false;
      at = stop;
    }
    gap.blank_before_token = is_blank_before();
  }

 private:
  static std::string_view trimmed(std::string_view text) {
    return text.substr(0, text.find_last_not_of(" \t") + 1);
  }

  void check_end(std::size_t stop) const {
    if (stop >= text_.size() || text_[stop] == '\n' || text_.substr(stop, 2) == "\r\n") return;
    if (stop + 1 == text_.size()) return;
    const auto at = static_cast<std::uint32_t>(stop);
    input_.diagnostics
        .report(base::DiagnosticKind::UnexpectedCharacter, {input_.id, at, at + 1},
                "the character with code 13")
        .help("a line ends with a line feed, here with a carriage return alone");
  }

  const Input& input_;
  std::string_view text_;
  Comments& result_;
};

}  // namespace

bool Gap::has_blank() const {
  return blank_before_token ||
         std::any_of(comments.begin(), comments.end(),
                     [](const OwnComment& comment) { return comment.blank_before; });
}

Comments find_comments(const Input& input, const TokenList& list) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const std::string_view text = input.source().text();
  Comments result;
  result.before.resize(list.tokens.size());
  result.behind.resize(list.tokens.size());
  GapScanner scanner(input, result);
  std::size_t from = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  std::size_t left = kNoToken;
  for (std::size_t i = 0; i < list.tokens.size(); ++i) {
    const Token& token = list.tokens[i];
    if (token.kind == TokenKind::Separator) continue;
    const bool is_end = token.kind == TokenKind::End;
    scanner.scan(from, is_end ? text.size() : token.begin, left, i);
    from = token.end;
    left = i;
  }
  return result;
}

}  // namespace talweg::syntax
