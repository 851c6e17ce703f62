#include "compiler/syntax/format/lines.h"

#include <algorithm>

#include "compiler/syntax/format/document.h"

namespace talweg::syntax {

namespace {

constexpr int kCommentGap = 2;

}  // namespace

void Lines::text(int indent, std::string_view text) {
  end_comment(indent);
  Line& line = lines_.back();
  if (line.code.empty()) {
    // Blanks at the beginning of a line are its indentation, which is known.
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  line.code += text;
  line.code_columns += columns(text);
}

void Lines::line_break(int indent, bool blank_before) {
  comment_ended_ = false;
  if (lines_.size() == 1 && lines_.back().code.empty()) return;  // nothing stands above
  std::string& code = lines_.back().code;
  code.erase(code.find_last_not_of(' ') + 1);
  lines_.back().code_columns = columns(code);
  if (blank_before) lines_.emplace_back();
  lines_.emplace_back();
  lines_.back().indent = indent;
}

void Lines::end_comment(int indent) {
  if (comment_ended_) line_break(own_comment_ ? lines_.back().indent : indent, false);
}

void Lines::own_comment(int indent, std::string_view text) {
  end_comment(indent);
  if (!lines_.back().code.empty()) line_break(indent, false);
  lines_.back().code = text;
  comment_ended_ = true;
  own_comment_ = true;
}

void Lines::trailing_comment(int indent, std::string_view text) {
  if (comment_ended_ || lines_.back().code.empty()) return own_comment(indent, text);
  lines_.back().comment = text;
  comment_ended_ = true;
  own_comment_ = false;
}

int Lines::column(int indent) const {
  const Line& line = lines_.back();
  if (comment_ended_) return own_comment_ ? line.indent : indent;
  return line.indent + line.code_columns;
}

void Lines::align_comments(std::size_t first, std::size_t last, int width) {
  int most = 0;
  int longest = 0;
  for (std::size_t i = first; i < last; ++i) {
    most = std::max(most, lines_[i].code_columns);
    longest = std::max(longest, columns(lines_[i].comment));
  }
  const bool aligned = lines_[first].indent + most + kCommentGap + longest <= width;
  for (std::size_t i = first; i < last; ++i) {
    const int gap = kCommentGap + (aligned ? most - lines_[i].code_columns : 0);
    lines_[i].code.append(static_cast<std::size_t>(gap), ' ');
    lines_[i].code += lines_[i].comment;
  }
}

std::string Lines::take(int width) {
  line_break(0, false);
  const auto is_sign = [&](std::size_t i) { return lines_[i].code == "|"; };
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    std::size_t end = i;
    if (is_sign(i) && !lines_[i].comment.empty()) {
      align_comments(i, i + 1, width);  // far from what it stands behind it would look lost
      continue;
    }
    while (end < lines_.size() && !lines_[end].comment.empty() &&
           lines_[end].indent == lines_[i].indent && !is_sign(end))
      ++end;
    if (end == i) continue;
    align_comments(i, end, width);
    i = end - 1;
  }
  std::string result;
  for (std::size_t i = 0; i + 1 < lines_.size(); ++i) {
    if (!lines_[i].code.empty()) result.append(static_cast<std::size_t>(lines_[i].indent), ' ');
    result += lines_[i].code;
    result += '\n';
  }
  return result;
}

}  // namespace talweg::syntax
