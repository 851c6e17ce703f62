// The lines of a formatted text as they are written: indentation, code, and a comment behind it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace talweg::syntax {

class Lines {
 public:
  void text(int indent, std::string_view text);
  /// Ends the line; what comes next is indented by `indent`.
  void line_break(int indent, bool blank_before);
  void own_comment(int indent, std::string_view text);
  void trailing_comment(int indent, std::string_view text);
  /// The column where text written now would begin.
  [[nodiscard]] int column(int indent) const;
  /// Comments behind adjacent lines of one indentation begin in one column, unless one would then
  /// end beyond `width`.
  std::string take(int width);

 private:
  struct Line {
    int indent = 0;
    std::string code;
    std::string comment;
    int code_columns = 0;
  };
  void end_comment(int indent);
  void align_comments(std::size_t first, std::size_t last, int width);

  std::vector<Line> lines_ = {{}};
  bool comment_ended_ = false;  // text must begin a new line
  bool own_comment_ = false;    // and stands below a comment, not below the line it trails
};

}  // namespace talweg::syntax
