// From CSV records to a table: header or not, which columns are features, every cell a finite
// number.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "runtime/train/csv.h"
#include "runtime/train/names.h"
#include "runtime/train/number_text.h"

namespace talweg::train {
namespace {

constexpr std::size_t kNoColumn = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kShownCellBytes = 40;

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

/// The file itself is wrong, not what was asked of it.
support::Failure bad_file(std::string message) {
  return {support::FailureKind::Io, std::move(message)};
}

bool is_missing(std::string_view cell) {
  constexpr std::array<std::string_view, 9> kMissing = {"",    "?",   "NA",   "N/A", "NaN",
                                                        "nan", "NAN", "null", "NULL"};
  return std::find(kMissing.begin(), kMissing.end(), cell) != kMissing.end();
}

std::optional<long> column_number(const std::string& text) {
  long value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// Place from 0 of the column numbered `number` (from 1, or from the end: -1) of `width`.
std::size_t column_place(long number, std::size_t width) {
  const auto last = static_cast<long>(width);
  if (number == 0 || number > last || number < -last) return kNoColumn;
  return static_cast<std::size_t>(number > 0 ? number - 1 : last + number);
}

class TableBuilder {
 public:
  TableBuilder(std::string_view text, const std::string& source, const CsvSettings& settings)
      : reader_(text, source), settings_(settings) {
    table_.source = source;
  }

  support::Result<Table> build();

 private:
  [[nodiscard]] bool looks_like_header() const;
  support::Status read_header();
  support::Status find_target();
  support::Status find_features();
  support::Status find_known_features();
  [[nodiscard]] std::optional<std::size_t> missing_column() const;
  support::Status add_row();
  support::Status add_rows();
  support::Status check_width() const;
  support::Result<double> cell_number(std::size_t column) const;
  [[nodiscard]] std::string column_name(std::size_t column) const {
    return has_header_ ? fmt::format("column {} (`{}`)", column + 1, names_[column])
                       : fmt::format("column {}", column + 1);
  }
  [[nodiscard]] support::Failure at_row(std::string_view what) const {
    return bad_file(fmt::format("{}:{}: {}", table_.source, record_.line, what));
  }

  CsvReader reader_;
  const CsvSettings& settings_;
  Table table_;
  CsvRecord record_;
  std::vector<std::string> names_;  // [width]
  std::vector<std::size_t> feature_columns_;
  std::size_t target_column_ = kNoColumn;
  bool has_header_ = false;
};

bool TableBuilder::looks_like_header() const {
  if (settings_.header != HeaderMode::Auto) return settings_.header == HeaderMode::Yes;
  std::size_t target = kNoColumn;
  if (!settings_.target.empty()) {
    const auto number = column_number(settings_.target);
    if (!number) return true;
    target = column_place(*number, record_.cells.size());
  }
  for (std::size_t i = 0; i < record_.cells.size(); ++i) {
    const std::string& cell = record_.cells[i];
    if (i != target && !is_missing(cell) && !parse_number(cell)) return true;
  }
  return false;
}

support::Status TableBuilder::read_header() {
  has_header_ = looks_like_header();
  std::set<std::string> seen;
  for (std::size_t i = 0; i < record_.cells.size(); ++i) {
    std::string name = has_header_ ? record_.cells[i] : std::string{};
    if (name.empty()) name = fmt::format("column{}", i + 1);
    if (!seen.insert(name).second) {
      return at_row(fmt::format("two columns are named `{}`; give them different names", name));
    }
    names_.push_back(std::move(name));
  }
  return support::ok();
}

support::Status TableBuilder::find_target() {
  if (settings_.target.empty()) return support::ok();
  const auto named = std::find(names_.begin(), names_.end(), settings_.target);
  if (has_header_ && named != names_.end()) {
    target_column_ = static_cast<std::size_t>(named - names_.begin());
  } else if (const auto number = column_number(settings_.target)) {
    target_column_ = column_place(*number, names_.size());
    if (target_column_ == kNoColumn) {
      return usage(
          fmt::format("{}: there is no column {}: columns are numbered 1 to {}, or -1 from the "
                      "end",
                      table_.source, *number, names_.size()));
    }
  } else if (!has_header_) {
    return usage(
        fmt::format("{} is read without a header, so the target cannot be named `{}`; give its "
                    "number (1 to {}, or -1 for the last)",
                    table_.source, settings_.target, names_.size()));
  } else {
    return usage(fmt::format("{}: no column is named `{}`{}; the columns are {}", table_.source,
                             settings_.target, suggestion(settings_.target, names_),
                             list_names(names_)));
  }
  table_.target_name = names_[target_column_];
  return support::ok();
}

support::Status TableBuilder::find_known_features() {
  const std::vector<std::string>& wanted = *settings_.features;
  if (!has_header_) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i != target_column_) feature_columns_.push_back(i);
    }
    if (feature_columns_.size() == wanted.size()) return support::ok();
    return usage(fmt::format("{} has {} feature columns, but the model was trained on {}: {}",
                             table_.source, feature_columns_.size(), wanted.size(),
                             list_names(wanted)));
  }
  std::vector<std::string> absent;
  std::set<std::size_t> used{target_column_};
  for (const std::string& name : wanted) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
      absent.push_back(name);
    } else {
      feature_columns_.push_back(static_cast<std::size_t>(found - names_.begin()));
      used.insert(feature_columns_.back());
    }
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!used.contains(i)) table_.unused_columns.push_back(names_[i]);
  }
  if (absent.empty()) return support::ok();
  const std::string hint = absent.size() == 1 ? suggestion(absent[0], table_.unused_columns) : "";
  return usage(
      fmt::format("{}: the model needs the feature column{} {}, which the file does not have{}",
                  table_.source, absent.size() == 1 ? "" : "s", list_names(absent), hint));
}

support::Status TableBuilder::find_features() {
  if (settings_.features) {
    if (auto status = find_known_features(); !status) return status;
    table_.feature_names = *settings_.features;
    return support::ok();
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (i == target_column_) continue;
    feature_columns_.push_back(i);
    table_.feature_names.push_back(names_[i]);
  }
  if (!feature_columns_.empty()) return support::ok();
  return usage(fmt::format("{}: no feature column is left beside the target `{}`", table_.source,
                           table_.target_name));
}

support::Status TableBuilder::check_width() const {
  if (record_.cells.size() == names_.size()) return support::ok();
  const char separator = reader_.separator();
  return at_row(
      fmt::format("{} cells, but the first row has {}{} (cells are separated by {})",
                  record_.cells.size(), names_.size(), has_header_ ? " names" : "",
                  separator == '\t' ? std::string("tabs") : fmt::format("`{}`", separator)));
}

support::Result<double> TableBuilder::cell_number(std::size_t column) const {
  const std::string& cell = record_.cells[column];
  const auto value = parse_number(cell);
  if (value && std::isfinite(*value)) return *value;
  std::string shown = cell.substr(0, kShownCellBytes);
  if (shown.size() < cell.size()) shown += "...";
  std::string_view way_out = "write features as numbers, or remove the column";
  if (value) {
    way_out = "features must be finite";
  } else if (std::count(cell.begin(), cell.end(), ',') == 1 && reader_.separator() != ',') {
    way_out = "write a decimal point instead of the comma";
  } else if (settings_.target.empty()) {
    way_out = "if this column is the target, name it as such (--target)";
  }
  return at_row(fmt::format("{}: \"{}\" is not a number that can be used; {}", column_name(column),
                            shown, way_out));
}

std::optional<std::size_t> TableBuilder::missing_column() const {
  for (const std::size_t column : feature_columns_) {
    if (is_missing(record_.cells[column])) return column;
  }
  if (target_column_ == kNoColumn || !is_missing(record_.cells[target_column_]))
    return std::nullopt;
  return target_column_;
}

support::Status TableBuilder::add_row() {
  if (auto status = check_width(); !status) return status;
  if (const auto column = missing_column()) {
    if (settings_.missing == MissingMode::DropRow) {
      ++table_.dropped_rows;
      return support::ok();
    }
    return at_row(
        fmt::format("{}: the value is missing; fill it in, or leave such rows out (--missing "
                    "drop)",
                    column_name(*column)));
  }
  for (const std::size_t column : feature_columns_) {
    auto value = cell_number(column);
    if (!value) return value.failure();
    table_.features.push_back(*value);
  }
  if (target_column_ != kNoColumn) table_.target_text.push_back(record_.cells[target_column_]);
  table_.lines.push_back(record_.line);
  ++table_.rows;
  if (table_.features.size() <= kMaxTableValues) return support::ok();
  return at_row(fmt::format("more than {} feature values, the limit for a table", kMaxTableValues));
}

support::Status TableBuilder::add_rows() {
  for (;;) {
    auto more = reader_.next(record_);
    if (!more) return more.failure();
    if (!*more) return support::ok();
    if (auto status = add_row(); !status) return status;
  }
}

support::Result<Table> TableBuilder::build() {
  auto first = reader_.next(record_);
  if (!first) return first.failure();
  if (!*first) return bad_file(fmt::format("{} is empty: it needs rows of numbers", table_.source));
  if (auto status = read_header(); !status) return status.failure();
  if (auto status = find_target(); !status) return status.failure();
  if (auto status = find_features(); !status) return status.failure();
  if (!has_header_) {
    if (auto status = add_row(); !status) return status.failure();
  }
  if (auto status = add_rows(); !status) return status.failure();
  if (table_.rows > 0) return std::move(table_);
  if (table_.dropped_rows > 0) {
    return bad_file(fmt::format("{}: no row is left: all {} have missing values", table_.source,
                                table_.dropped_rows));
  }
  return bad_file(fmt::format("{} has a header but no rows below it", table_.source));
}

}  // namespace

support::Result<Table> read_csv_table(std::string_view text, const std::string& source,
                                      const CsvSettings& settings) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return bad_file(fmt::format("{} is in UTF-16; save it as UTF-8", source));
  }
  return TableBuilder(text, source, settings).build();
}

}  // namespace talweg::train
