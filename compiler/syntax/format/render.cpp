// Chooses the layout of a document, in one walk with a stack of its own: documents are deeper than
// the program's stack allows for.
#include <algorithm>

#include "compiler/syntax/format/document.h"
#include "compiler/syntax/format/lines.h"

namespace talweg::syntax {

namespace {

// Where an opening bracket stands further right, what it holds is indented from its line instead.
constexpr int kDeepestAlignment = 60;
constexpr int kContinuation = 4;

struct Command {
  int indent;
  bool flat;
  DocId doc;
  std::size_t next = 0;  // part of a sequence or fill to go on with
};

class Renderer {
 public:
  Renderer(const Documents& documents, int width) : documents_(documents), width_(width) {}

  std::string run(DocId root) {
    stack_.push_back({0, false, root});
    while (!stack_.empty()) {
      const Command command = stack_.back();
      stack_.pop_back();
      step(command);
    }
    return lines_.take(width_);
  }

 private:
  void step(const Command& command) {
    const Doc& doc = documents_[command.doc];
    switch (doc.kind) {
      case DocKind::Text:
        return lines_.text(command.indent, doc.text);
      case DocKind::Line:
        if (command.flat) return lines_.text(command.indent, doc.text);
        return lines_.line_break(command.indent, false);
      case DocKind::HardLine:
        return lines_.line_break(command.indent, doc.is_set);
      case DocKind::OwnComment:
        return lines_.own_comment(command.indent, doc.text);
      case DocKind::TrailingComment:
        return lines_.trailing_comment(command.indent, doc.text);
      case DocKind::Indent:
        stack_.push_back({command.indent + doc.amount, command.flat, doc.parts.front()});
        return;
      case DocKind::Align:
        return align(command, doc);
      case DocKind::Group: {
        const DocId inner = doc.parts.front();
        const bool flat =
            !doc.is_set && (command.flat || fits({{command.indent, true, inner}}, command.indent));
        stack_.push_back({command.indent, flat, inner});
        return;
      }
      case DocKind::Sequence:
      case DocKind::Fill:
        return part(command, doc);
    }
  }

  void align(const Command& command, const Doc& doc) {
    const DocId inner = doc.parts.front();
    int indent = lines_.column(command.indent);
    if (indent > kDeepestAlignment && !fits({{indent, true, inner}}, command.indent)) {
      indent = command.indent + kContinuation;
      lines_.line_break(indent, false);
    }
    stack_.push_back({indent, command.flat, inner});
  }

  void part(const Command& command, const Doc& doc) {
    if (command.next >= doc.parts.size()) return;
    const DocId item = doc.parts[command.next];
    stack_.push_back({command.indent, command.flat, command.doc, command.next + 1});
    const bool separates = doc.kind == DocKind::Fill && command.next % 2 == 1;
    if (!separates) {
      stack_.push_back({command.indent, command.flat, item});
      return;
    }
    bool flat = command.flat;
    if (!flat) {
      // Only the part behind the separator must fit; the one after it may break again.
      stack_.back().next = command.next + 2;
      const DocId following = doc.parts[command.next + 1];
      flat =
          fits({{command.indent, true, following}, {command.indent, true, item}}, command.indent);
      stack_.back().next = command.next + 1;
    }
    stack_.push_back({command.indent, flat, item});
  }

  /// True if these commands (the last first), and what follows them until the next line break, end
  /// within the width.
  bool fits(std::vector<Command> look, int indent) const {
    int left = width_ - lines_.column(indent);
    std::size_t rest = stack_.size();
    bool at_begin = true;  // no text seen yet
    while (left >= 0) {
      if (look.empty()) {
        if (rest == 0) return true;
        look.push_back(stack_[--rest]);
      }
      const Command command = look.back();
      look.pop_back();
      const Doc& doc = documents_[command.doc];
      switch (doc.kind) {
        case DocKind::HardLine:
        case DocKind::TrailingComment:
          return true;
        case DocKind::OwnComment:
          if (!at_begin) return true;
          left = width_ - indent;  // the rest begins a line below it
          break;
        case DocKind::Line:
          if (!command.flat) return true;
          left -= columns(doc.text);
          break;
        case DocKind::Text:
          left -= columns(doc.text);
          at_begin = at_begin && doc.text.empty();
          break;
        case DocKind::Indent:
        case DocKind::Align:
          look.push_back({0, command.flat, doc.parts.front()});
          break;
        case DocKind::Group:
          // One that is broken only because the author broke it counts as if it were not: what it
          // stands in must not depend on whether it was written broken, or came to be.
          look.push_back({0, command.flat && !doc.must_break, doc.parts.front()});
          break;
        case DocKind::Sequence:
        case DocKind::Fill:
          if (command.next >= doc.parts.size()) break;
          look.push_back({0, command.flat, command.doc, command.next + 1});
          look.push_back({0, command.flat, doc.parts[command.next]});
          break;
      }
    }
    return false;
  }

  const Documents& documents_;
  int width_;
  Lines lines_;
  std::vector<Command> stack_;
};

}  // namespace

int columns(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

DocId Documents::add(DocKind kind, bool is_set, int amount, std::string_view text, Docs parts) {
  Doc doc{kind, is_set, amount, std::string(text), std::move(parts)};
  doc.must_break = kind == DocKind::HardLine;
  doc.has_comment = kind == DocKind::OwnComment || kind == DocKind::TrailingComment;
  doc.ends_in_comment = doc.has_comment;
  doc.is_above = kind == DocKind::OwnComment;
  for (std::size_t i = 0; i < doc.parts.size(); ++i) {
    const Doc& inner = docs_[doc.parts[i].index];
    const bool breaks = doc.ends_in_comment && !doc.is_above;
    doc.must_break = doc.must_break || inner.must_break || breaks;
    doc.has_comment = doc.has_comment || inner.has_comment;
    doc.ends_in_comment = inner.ends_in_comment;
    doc.is_above = inner.is_above && (i == 0 || doc.is_above);
  }
  if (kind == DocKind::Group && doc.must_break) doc.is_set = true;
  docs_.push_back(std::move(doc));
  return DocId(static_cast<std::uint32_t>(docs_.size() - 1));
}

std::optional<int> Documents::flat_width(DocId id) const {
  const Doc& whole = docs_[id.index];
  if (whole.must_break || whole.has_comment) return std::nullopt;
  return ink_width(id);
}

std::optional<int> Documents::line_width(DocId id) const {
  if (docs_[id.index].must_break) return std::nullopt;
  return ink_width(id);
}

int Documents::ink_width(DocId id) const {
  int total = 0;
  std::vector<DocId> open = {id};
  while (!open.empty()) {
    const Doc& doc = docs_[open.back().index];
    open.pop_back();
    const bool is_comment = doc.kind == DocKind::OwnComment || doc.kind == DocKind::TrailingComment;
    if (!is_comment) total += columns(doc.text);
    open.insert(open.end(), doc.parts.begin(), doc.parts.end());
  }
  return total;
}

std::string render(const Documents& documents, DocId root, int width) {
  return Renderer(documents, width).run(root);
}

}  // namespace talweg::syntax
