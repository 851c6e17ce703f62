// The lines of a source that a diagnostic shows, with marks and words under them.
#pragma once

#include <string>
#include <vector>

#include "compiler/base/source.h"

namespace talweg::base {

/// ANSI sequences, or empty strings when colour is off.
struct Palette {
  std::string_view error, warning, note, bold, reset;
  static Palette make(bool color);
};

/// A marked range with optional words. The primary mark is drawn `^^^`, others `---`.
struct Mark {
  Span span;
  std::string words;
  bool primary = false;
};

/// Draws the lines of one source that hold `marks` (all of that source), in order of lines. Tabs
/// become spaces, every other code point takes one column, control and direction characters are
/// shown as U+FFFD, and lines longer than a screen are cut around the mark. `gutter` is the width
/// kept for line numbers; `emphasis` colours the primary mark.
std::string draw_excerpt(const Source& source, const std::vector<Mark>& marks, std::size_t gutter,
                         const Palette& palette, std::string_view emphasis);

/// The last line number that `draw_excerpt` will print for these marks.
std::uint32_t last_line(const Source& source, const std::vector<Mark>& marks);

}  // namespace talweg::base
