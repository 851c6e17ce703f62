// A text that knows where it may be broken into lines, before its layout is chosen.
//
// Documents live in an arena and are named by ids. A `line` is a space or a line break: all lines
// of a group are spaces if the group fits on its line, else breaks; a fill decides each on its own.
// A comment ends its line by itself, whatever follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/ids.h"

namespace talweg::syntax {

struct DocTag;
using DocId = base::Id<DocTag>;
using Docs = std::vector<DocId>;

enum class DocKind : std::uint8_t {
  Text,
  Line,             // a space where the group is flat, else a line break
  HardLine,         // a line break always, after an empty line if `is_set`
  Sequence,         // its parts, one after the other
  Group,            // broken whatever its width if `is_set`: always where it must hold a break
  Fill,             // parts alternate: text, line, text, line, ..., text
  Indent,           // breaks inside are indented by `amount` more
  Align,            // breaks inside are indented to the column where it begins
  OwnComment,       // a comment that has its line to itself
  TrailingComment,  // a comment behind what stands on the line
};

struct Doc {
  DocKind kind = DocKind::Text;
  bool is_set = false;
  int amount = 0;
  std::string text;
  Docs parts;
  // What its parts force. A comment above all the rest forces nothing but the line it stands on.
  bool must_break = false;       // a line ends inside, whatever the layout
  bool ends_in_comment = false;  // what follows begins a line
  bool is_above = false;         // nothing but comments on lines of their own
  bool has_comment = false;
};

class Documents {
 public:
  DocId text(std::string_view text) { return add(DocKind::Text, false, 0, text, {}); }
  DocId line() { return add(DocKind::Line, false, 0, " ", {}); }
  DocId hard_line(bool blank_before = false) {
    return add(DocKind::HardLine, blank_before, 0, {}, {});
  }
  DocId sequence(Docs parts) { return add(DocKind::Sequence, false, 0, {}, std::move(parts)); }
  DocId group(DocId inner, bool broken = false) {
    return add(DocKind::Group, broken, 0, {}, {inner});
  }
  DocId fill(Docs parts) { return add(DocKind::Fill, false, 0, {}, std::move(parts)); }
  DocId indent(int amount, DocId inner) { return add(DocKind::Indent, false, amount, {}, {inner}); }
  DocId align(DocId inner) { return add(DocKind::Align, false, 0, {}, {inner}); }
  DocId comment(std::string_view text, bool trails) {
    return add(trails ? DocKind::TrailingComment : DocKind::OwnComment, false, 0, text, {});
  }

  [[nodiscard]] const Doc& operator[](DocId id) const { return docs_[id.index]; }

  /// How many columns the document has on one line; nothing if it cannot stand on one.
  [[nodiscard]] std::optional<int> flat_width(DocId id) const;
  /// The same for one that stands on a line by itself: a comment behind it does not count.
  [[nodiscard]] std::optional<int> line_width(DocId id) const;

 private:
  [[nodiscard]] int ink_width(DocId id) const;
  DocId add(DocKind kind, bool is_set, int amount, std::string_view text, Docs parts);
  std::vector<Doc> docs_;
};

/// How many columns a text has: its code points.
int columns(std::string_view text);

/// The document as lines of at most `width` columns where breaks allow it (comments do not count),
/// ending in a line break; empty for a document without text.
std::string render(const Documents& documents, DocId root, int width);

}  // namespace talweg::syntax
