// A mark over several lines is drawn on its first and its last line. Marks that share a line share
// the row below it unless they overlap; words stand beside the rightmost mark, further words below.
#include "compiler/base/source_excerpt.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace talweg::base {

Palette Palette::make(bool color) {
  if (!color) return {};
  return {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"};
}

namespace {

constexpr std::size_t kBytesBefore = 160;  // of a long line, shown or measured around a mark
constexpr std::size_t kBytesAfter = 320;
constexpr std::size_t kMaxColumns = 96;
constexpr std::size_t kColumnsBefore = 40;
constexpr std::size_t kTabWidth = 4;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// The part of a mark that lies on one line.
struct Piece {
  std::uint32_t begin = 0;  // byte offsets in the source
  std::uint32_t end = 0;
  std::string words;
  bool primary = false;
};

/// Some bytes of a line as columns of a terminal.
struct Cells {
  std::vector<std::string> columns;
  std::uint32_t first_byte = 0;
  std::vector<std::size_t> column_of_byte;  // from first_byte, one more than there are bytes
  [[nodiscard]] std::size_t column(std::uint32_t byte) const {
    if (byte <= first_byte) return 0;
    return column_of_byte[std::min<std::size_t>(byte - first_byte, column_of_byte.size() - 1)];
  }
};

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// What one code point looks like: itself, or U+FFFD where it would disturb the terminal.
std::string shown(std::string_view code_point) {
  const auto lead = static_cast<unsigned char>(code_point[0]);
  if (lead < 0x20 || lead == 0x7F || first_invalid_utf8(code_point) != std::string_view::npos)
    return std::string(kReplacement);
  const bool c1_control = lead == 0xC2 && static_cast<unsigned char>(code_point[1]) < 0xA0;
  const bool direction = code_point >= "\xE2\x80\xAA" && code_point <= "\xE2\x80\xAE";
  const bool isolate = code_point >= "\xE2\x81\xA6" && code_point <= "\xE2\x81\xA9";
  if (c1_control || direction || isolate) return std::string(kReplacement);
  return std::string(code_point);
}

Cells make_cells(std::string_view text, std::uint32_t first_byte) {
  Cells cells;
  cells.first_byte = first_byte;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    while (i + length < text.size() && length < 4 && is_continuation(text[i + length])) ++length;
    cells.column_of_byte.insert(cells.column_of_byte.end(), length, cells.columns.size());
    if (text[i] == '\t') {
      do cells.columns.emplace_back(" ");
      while (cells.columns.size() % kTabWidth != 0);
    } else {
      cells.columns.push_back(shown(text.substr(i, length)));
    }
    i += length;
  }
  cells.column_of_byte.push_back(cells.columns.size());
  return cells;
}

/// One drawn line: a window of a source line and the marks in it, in columns of that window.
class LineDrawing {
 public:
  LineDrawing(const Source& source, std::uint32_t number, const Piece& anchor) {
    const std::string_view line = source.line(number);
    const std::uint32_t start = source.line_start(number);
    std::size_t from =
        anchor.begin - start > kBytesBefore ? anchor.begin - start - kBytesBefore : 0;
    while (from > 0 && from < line.size() && is_continuation(line[from])) --from;
    from = std::min(from, line.size());
    std::size_t to = std::min<std::size_t>(line.size(), anchor.begin - start + kBytesAfter);
    while (to > from && to < line.size() && is_continuation(line[to])) --to;
    cells_ = make_cells(line.substr(from, to - from), start + static_cast<std::uint32_t>(from));

    const std::size_t count = cells_.columns.size();
    const std::size_t at = cells_.column(anchor.begin);
    const bool whole = from == 0 && to == line.size() && count <= kMaxColumns;
    if (!whole) low_ = at > kColumnsBefore ? at - kColumnsBefore : 0;
    high_ = whole ? count : std::min(count, low_ + kMaxColumns);
    cut_before_ = from > 0 || low_ > 0;
    cut_after_ = to < line.size() || high_ < count;
  }

  /// False if the piece lies outside the window: it needs a drawing of its own.
  bool add(const Piece& piece) {
    const std::size_t begin = cells_.column(piece.begin);
    if (begin < low_ || begin > high_ || (begin == high_ && cut_after_)) return false;
    std::size_t end = std::clamp(cells_.column(piece.end), begin, high_);
    if (end == begin) ++end;
    const std::size_t shift = cut_before_ ? 3 : 0;
    marks_.push_back({begin - low_ + shift, end - low_ + shift, &piece});
    return true;
  }

  [[nodiscard]] std::string text() const {
    std::string result = cut_before_ ? "..." : "";
    for (std::size_t i = low_; i < high_; ++i) result += cells_.columns[i];
    result.erase(result.find_last_not_of(' ') + 1);
    return result + (cut_after_ ? "..." : "");
  }

  /// The rows below the line, each with its colours.
  std::vector<std::string> rows(const Palette& palette, std::string_view emphasis) const;

 private:
  struct Placed {
    std::size_t begin, end;  // columns
    const Piece* piece;
  };
  using Layer = std::vector<Placed>;  // sorted by column, no two overlap

  [[nodiscard]] std::vector<Layer> layers() const;

  Cells cells_;
  std::size_t low_ = 0, high_ = 0;  // columns shown
  bool cut_before_ = false, cut_after_ = false;
  std::vector<Placed> marks_;
};

std::vector<LineDrawing::Layer> LineDrawing::layers() const {
  Layer order = marks_;
  std::stable_sort(order.begin(), order.end(), [](const Placed& a, const Placed& b) {
    return a.piece->primary && !b.piece->primary;
  });
  std::vector<Layer> result;
  for (const Placed& mark : order) {
    const auto free = std::find_if(result.begin(), result.end(), [&](const Layer& layer) {
      return std::all_of(layer.begin(), layer.end(), [&](const Placed& other) {
        return mark.end <= other.begin || other.end <= mark.begin;
      });
    });
    if (free == result.end())
      result.push_back({mark});
    else
      free->push_back(mark);
  }
  for (Layer& layer : result)
    std::sort(layer.begin(), layer.end(),
              [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
  return result;
}

std::vector<std::string> LineDrawing::rows(const Palette& palette,
                                           std::string_view emphasis) const {
  std::vector<std::string> result;
  const auto paint = [&](const Placed& mark, const std::string& text) {
    const std::string_view color = mark.piece->primary ? emphasis : palette.note;
    return fmt::format("{}{}{}", color, text, palette.reset);
  };
  for (const Layer& layer : layers()) {
    std::string row;
    std::size_t column = 0;
    for (const Placed& mark : layer) {
      row += std::string(mark.begin - column, ' ');
      row += paint(mark, std::string(mark.end - mark.begin, mark.piece->primary ? '^' : '-'));
      column = mark.end;
    }
    if (!layer.back().piece->words.empty())
      row += " " + paint(layer.back(), layer.back().piece->words);
    result.push_back(row);
    for (std::size_t i = layer.size() - 1; i-- > 0;) {
      if (layer[i].piece->words.empty()) continue;
      std::string below;
      column = 0;
      for (std::size_t k = 0; k < i; ++k) {
        if (layer[k].piece->words.empty()) continue;
        below += std::string(layer[k].begin - column, ' ') + paint(layer[k], "|");
        column = layer[k].begin + 1;
      }
      below += std::string(layer[i].begin - column, ' ') + paint(layer[i], layer[i].piece->words);
      result.push_back(below);
    }
  }
  return result;
}

std::uint32_t line_of(const Source& source, std::uint32_t offset) {
  return source.position(offset).line;
}

/// The last byte of a span, so that a span that ends with a line break ends on its own line.
std::uint32_t last_byte(const Mark& mark) {
  return mark.span.end > mark.span.begin ? mark.span.end - 1 : mark.span.begin;
}

/// First byte of a line that is not blank.
std::uint32_t first_ink(const Source& source, std::uint32_t line) {
  const std::size_t ink = source.line(line).find_first_not_of(" \t");
  return source.line_start(line) +
         static_cast<std::uint32_t>(ink == std::string_view::npos ? 0 : ink);
}

/// The pieces of all marks, by line.
std::map<std::uint32_t, std::vector<Piece>> pieces_by_line(const Source& source,
                                                           const std::vector<Mark>& marks) {
  std::map<std::uint32_t, std::vector<Piece>> lines;
  for (const Mark& mark : marks) {
    const std::uint32_t first = line_of(source, mark.span.begin);
    const std::uint32_t last = line_of(source, last_byte(mark));
    const auto line_end =
        source.line_start(first) + static_cast<std::uint32_t>(source.line(first).size());
    if (first == last) {
      lines[first].push_back(
          {mark.span.begin, std::min(mark.span.end, line_end), mark.words, mark.primary});
      continue;
    }
    lines[first].push_back({mark.span.begin, line_end, {}, mark.primary});
    lines[last].push_back({first_ink(source, last), mark.span.end, mark.words, mark.primary});
  }
  return lines;
}

}  // namespace

std::uint32_t last_line(const Source& source, const std::vector<Mark>& marks) {
  std::uint32_t last = 1;
  for (const Mark& mark : marks) last = std::max(last, line_of(source, last_byte(mark)));
  return last;
}

std::string draw_excerpt(const Source& source, const std::vector<Mark>& marks, std::size_t gutter,
                         const Palette& palette, std::string_view emphasis) {
  const std::string bar = fmt::format("{}{:>{}} |{}", palette.note, "", gutter, palette.reset);
  std::string result = bar + "\n";
  std::uint32_t previous = 0;
  for (auto& [number, pieces] : pieces_by_line(source, marks)) {
    if (previous != 0 && number > previous + 1)
      result += fmt::format("{}{:>{}}...{}\n", palette.note, "", gutter, palette.reset);
    previous = number;
    std::vector<Piece> left = pieces;
    std::stable_sort(left.begin(), left.end(),
                     [](const Piece& a, const Piece& b) { return a.primary && !b.primary; });
    while (!left.empty()) {
      LineDrawing drawing(source, number, left.front());
      std::vector<Piece> outside;
      for (std::size_t i = 0; i < left.size(); ++i)
        if (!drawing.add(left[i]) && i > 0) outside.push_back(left[i]);
      const std::string text = drawing.text();
      result += fmt::format("{}{:>{}} |{}{}{}\n", palette.note, number, gutter, palette.reset,
                            text.empty() ? "" : " ", text);
      for (const std::string& row : drawing.rows(palette, emphasis))
        result += fmt::format("{} {}\n", bar, row);
      left = std::move(outside);
    }
  }
  return result;
}

}  // namespace talweg::base
