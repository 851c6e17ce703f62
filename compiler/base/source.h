// Source text and positions in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/ids.h"

namespace talweg::base {

struct SourceTag;
using SourceId = Id<SourceTag>;

/// A range of bytes [begin, end) of one source text.
struct Span {
  SourceId source;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  /// The smallest span that holds both. Both must be of one source.
  [[nodiscard]] Span to(Span other) const;
};

/// A position for people: both count from 1; columns count Unicode code points.
struct LineColumn {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

/// One source text (a file, an --rule argument, a line of the REPL), held for as long as its spans.
class Source {
 public:
  Source(std::string name, std::string text);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  /// Line and column of a byte offset; an offset past the end is taken as the end.
  [[nodiscard]] LineColumn position(std::uint32_t offset) const;
  /// The text of a line, counting from 1, without its line break.
  [[nodiscard]] std::string_view line(std::uint32_t number) const;
  [[nodiscard]] std::uint32_t line_count() const {
    return static_cast<std::uint32_t>(line_starts_.size());
  }
  /// Byte offset where a line starts, counting from 1.
  [[nodiscard]] std::uint32_t line_start(std::uint32_t number) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
};

/// All sources of one compilation.
class Sources {
 public:
  SourceId add(std::string name, std::string text);
  [[nodiscard]] const Source& operator[](SourceId id) const { return sources_.at(id.index); }
  [[nodiscard]] const std::vector<Source>& all() const { return sources_; }
  [[nodiscard]] std::string_view text(Span span) const;

 private:
  std::vector<Source> sources_;
};

/// The byte offset of the first byte that is not valid UTF-8, or npos.
std::size_t first_invalid_utf8(std::string_view text);

}  // namespace talweg::base
