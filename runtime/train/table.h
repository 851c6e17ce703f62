// Data as read, before anything is learned from them: numeric features, one target a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/support/result.h"

namespace talweg::train {

struct Table {
  std::string source;                      // file or generator, for messages
  std::vector<std::string> feature_names;  // [columns], all different
  std::vector<double> features;            // [rows, columns] row-major, finite
  std::uint32_t rows = 0;
  std::string target_name;  // empty: no target
  /// One of the two has `rows` entries when there is a target: as written in the file, or as made.
  std::vector<std::string> target_text;
  std::vector<double> target_numbers;
  std::vector<std::uint64_t> lines;  // line of each row in its file, from 1; empty: not from text
  std::uint64_t dropped_rows = 0;    // left out for missing values
  std::vector<std::string> unused_columns;

  [[nodiscard]] std::uint32_t columns() const {
    return static_cast<std::uint32_t>(feature_names.size());
  }
  [[nodiscard]] bool has_target() const { return !target_text.empty() || !target_numbers.empty(); }
};

/// Largest number of feature values (8 bytes each) a table may hold.
inline constexpr std::uint64_t kMaxTableValues = std::uint64_t{1} << 28U;

/// Where a row comes from, for messages: "data.csv:17", or "data.gz, row 16".
std::string row_place(const Table& table, std::size_t row);

/// The targets as numbers. A text that is none is refused with its line.
support::Result<std::vector<double>> number_targets(const Table& table);

/// Targets as classes: the distinct values in order (by number if all are numbers, else by text),
/// and the index of each row's. Refused: fewer than 2 classes, more than kMaxClasses.
struct ClassTargets {
  std::vector<std::string> classes;
  std::vector<std::uint32_t> labels;  // [rows]
};
inline constexpr std::size_t kMaxClasses = 1000;
support::Result<ClassTargets> class_targets(const Table& table);
/// The same with the classes already known (prediction): a value that is none of them is refused.
support::Result<ClassTargets> class_targets(const Table& table, std::vector<std::string> classes);

}  // namespace talweg::train
