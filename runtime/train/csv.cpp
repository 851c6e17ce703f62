// The records of a CSV text.
#include "runtime/train/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/train/number_text.h"

namespace talweg::train {
namespace {

constexpr std::size_t kMaxCells = 1U << 20U;      // in one record
constexpr std::size_t kMaxCellBytes = 1U << 16U;  // in one cell
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// The separator that the first line uses most outside quotes; `,` where there is none.
char find_separator(std::string_view text) {
  constexpr std::string_view kCandidates = ",;\t";
  std::size_t counts[kCandidates.size()] = {};
  bool is_quoted = false;
  for (const char c : text) {
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (c == '\n' || c == '\r') break;
    const std::size_t i = kCandidates.find(c);
    if (i != std::string_view::npos) ++counts[i];
  }
  return kCandidates[static_cast<std::size_t>(std::max_element(counts, std::end(counts)) - counts)];
}

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string source)
    : text_(text), source_(std::move(source)) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  separator_ = find_separator(text_);
}

support::Failure CsvReader::failure(std::uint64_t line, std::string_view what) const {
  return {support::FailureKind::Io, fmt::format("{}:{}: {}", source_, line, what)};
}

bool CsvReader::at_line_end() const {
  return at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
}

void CsvReader::skip_line_end() {
  if (at_ == text_.size()) return;
  if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  ++at_;
  ++line_;
}

void CsvReader::read_plain(std::string& cell) {
  const std::size_t start = at_;
  while (!at_line_end() && text_[at_] != separator_) ++at_;
  cell.assign(trimmed(text_.substr(start, at_ - start)));
}

support::Status CsvReader::read_quoted(std::string& cell) {
  const std::uint64_t opened = line_;
  ++at_;
  for (;; ++at_) {
    if (at_ == text_.size()) return failure(opened, "a quote opened here is never closed");
    if (cell.size() > kMaxCellBytes) {
      return failure(opened,
                     "a quoted cell goes on for more than 65536 bytes; is a quote missing?");
    }
    if (text_[at_] == '"') {
      ++at_;
      if (at_ == text_.size() || text_[at_] != '"') break;
    } else if (text_[at_] == '\n') {
      ++line_;
    }
    cell += text_[at_];
  }
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_line_end() || text_[at_] == separator_) return support::ok();
  return failure(line_, "text follows a closing quote; write a quote inside quotes twice (\"\")");
}

support::Status CsvReader::read_cell(CsvRecord& record) {
  if (record.cells.size() == kMaxCells) {
    return failure(record.line, "more than 1048576 cells in one row");
  }
  std::string& cell = record.cells.emplace_back();
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_ < text_.size() && text_[at_] == '"') return read_quoted(cell);
  read_plain(cell);
  if (cell.find('\0') != std::string::npos) {
    return failure(line_, "a NUL byte: this is not a CSV text (or not in UTF-8)");
  }
  if (cell.size() > kMaxCellBytes) return failure(line_, "a cell of more than 65536 bytes");
  return support::ok();
}

support::Result<bool> CsvReader::next(CsvRecord& record) {
  for (;;) {
    if (at_ == text_.size()) return false;
    record.cells.clear();
    record.line = line_;
    bool was_quoted = text_[at_] == '"';
    for (;;) {
      if (auto status = read_cell(record); !status) return status.failure();
      if (at_line_end()) break;
      ++at_;
    }
    skip_line_end();
    if (record.cells.size() > 1 || was_quoted || !record.cells.front().empty()) return true;
  }
}

}  // namespace talweg::train
