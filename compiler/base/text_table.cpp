#include "compiler/base/text_table.h"

#include <algorithm>

namespace talweg::base {

namespace {

constexpr std::size_t kLabelColumns = 9;  // "Deviates "

std::string blanks(int count) { return std::string(static_cast<std::size_t>(count), ' '); }

/// "Source   Kingma & Ba": a short capitalised word, then text in the column of all labels.
bool begins_label(std::string_view line) {
  const std::size_t end = line.find(' ');
  const std::size_t next = line.find_first_not_of(' ', end);
  return end != std::string_view::npos && next == kLabelColumns && line[0] >= 'A' && line[0] <= 'Z';
}

}  // namespace

int text_columns(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string wrapped(std::string_view text, int first, int rest, int width) {
  std::string result = blanks(first);
  int column = first;
  bool line_begins = true;
  for (std::size_t at = text.find_first_not_of(' '); at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!line_begins && column + 1 + text_columns(word) > width) {
      result += '\n' + blanks(rest);
      column = rest;
      line_begins = true;
    }
    if (!line_begins) {
      result += ' ';
      ++column;
    }
    result += word;
    column += text_columns(word);
    line_begins = false;
    at = text.find_first_not_of(' ', end);
  }
  return result + '\n';
}

std::string wrapped_doc(std::string_view doc, int indent, int width) {
  std::string result;
  std::string paragraph;
  bool is_label = false;
  const auto flush = [&] {
    if (paragraph.empty()) return;
    std::string text = paragraph;
    std::string label;
    if (is_label) {
      label = blanks(indent) + text.substr(0, kLabelColumns);
      text.erase(0, kLabelColumns);
    }
    const int hang = is_label ? indent + static_cast<int>(kLabelColumns) : indent;
    const std::string lines = wrapped(text, hang, hang, width);
    result += is_label ? label + lines.substr(static_cast<std::size_t>(hang)) : lines;
    paragraph.clear();
    is_label = false;
  };
  for (std::size_t at = 0; at <= doc.size();) {
    const std::size_t end = std::min(doc.find('\n', at), doc.size());
    const std::string_view line = doc.substr(at, end - at);
    const bool is_formula = line.starts_with("    ") && !is_label;
    if (line.empty() || is_formula || begins_label(line)) flush();
    if (line.empty()) {
      if (!result.empty() && !result.ends_with("\n\n")) result += '\n';
    } else if (is_formula) {
      result += blanks(indent) + std::string(line) + '\n';
    } else {
      is_label = is_label || (paragraph.empty() && begins_label(line));
      if (!paragraph.empty()) paragraph += ' ';
      paragraph += line;
    }
    at = end + 1;
  }
  flush();
  return result;
}

void TextTable::add(std::vector<std::string> cells, std::string note) {
  rows_.push_back({std::move(cells), std::move(note)});
}

std::string TextTable::text(int indent, int width) const {
  std::vector<int> columns;
  for (const Row& row : rows_) {
    columns.resize(std::max(columns.size(), row.cells.size()));
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      columns[i] = std::max(columns[i], text_columns(row.cells[i]));
  }
  std::string result;
  for (const Row& row : rows_) {
    std::string line = blanks(indent);
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (columns[i] == 0) continue;
      line += row.cells[i] + blanks(columns[i] - text_columns(row.cells[i]) + 2);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
    if (!row.note.empty()) result += wrapped_doc(row.note, indent + 4, width);
  }
  return result;
}

}  // namespace talweg::base
