// CSV files: records of cells, and tables of numeric features with a target column. RFC 4180 with
// what files in the wild add: LF, CRLF, a byte order mark, `;` or tab between cells, blank lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/table.h"

namespace talweg::train {

struct CsvRecord {
  std::uint64_t line = 0;          // where it begins, from 1
  std::vector<std::string> cells;  // unquoted; outside quotes without blanks at both ends
};

/// Reads records one after the other.
class CsvReader {
 public:
  /// `text` must outlive the reader; `source` names it in failures.
  CsvReader(std::string_view text, std::string source);

  /// Fills `record` with the next one that is not blank; false at the end. Failures (Io) name
  /// the line: a quote never closed, text after a closing quote, a NUL byte, too many or too long
  /// cells.
  support::Result<bool> next(CsvRecord& record);
  [[nodiscard]] char separator() const { return separator_; }

 private:
  support::Status read_cell(CsvRecord& record);
  support::Status read_quoted(std::string& cell);
  void read_plain(std::string& cell);
  [[nodiscard]] bool at_line_end() const;
  void skip_line_end();
  [[nodiscard]] support::Failure failure(std::uint64_t line, std::string_view what) const;

  std::string_view text_;
  std::string source_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
  char separator_ = ',';
};

enum class HeaderMode {
  Auto,  // a header if the first record has a feature cell that is no number (or the target is
         // named)
  Yes,
  No,
};
enum class MissingMode { Refuse, DropRow };

struct CsvSettings {
  std::string target;  // column name, or number from 1 (or from the end: -1); empty: none
  HeaderMode header = HeaderMode::Auto;
  MissingMode missing = MissingMode::Refuse;
  /// Prediction: these columns in this order, found by name where there is a header (others are
  /// passed over and listed in unused_columns), else by place.
  std::optional<std::vector<std::string>> features;
};

/// The table of `text`. Failures give source, line, column and what to do: Io for what is wrong in
/// the text, Usage for columns that were asked for and are not there. Missing values are empty
/// cells, `?`, `NA`, `N/A`, `NaN`, `null`.
support::Result<Table> read_csv_table(std::string_view text, const std::string& source,
                                      const CsvSettings& settings);

}  // namespace talweg::train
