// Text for a terminal: columns, and documentation wrapped to a width.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace talweg::base {

/// How many columns a text has: its code points.
int text_columns(std::string_view text);

/// Words of `text` in lines of at most `width` columns, a word that is longer on a line of its own.
/// The first line begins after `first` blanks, the others after `rest`.
std::string wrapped(std::string_view text, int first, int rest, int width);

/// The text of `///` comments: paragraphs are wrapped, what is indented by four or more (formulas)
/// stays as it is, and what follows a label (`Source   ...`) is indented to its text.
std::string wrapped_doc(std::string_view doc, int indent, int width);

class TextTable {
 public:
  /// A row, and what is said below it (may be empty).
  void add(std::vector<std::string> cells, std::string note = {});
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// The rows, columns two blanks apart, notes wrapped below theirs.
  [[nodiscard]] std::string text(int indent, int width) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string note;
  };
  std::vector<Row> rows_;
};

}  // namespace talweg::base
