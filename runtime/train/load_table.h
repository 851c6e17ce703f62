// One table from whatever a user named: a CSV file, IDX files, or generated data.
#pragma once

#include <string>

#include "runtime/support/result.h"
#include "runtime/train/csv.h"
#include "runtime/train/table.h"

namespace talweg::train {

struct LoadedTable {
  Table table;
  bool is_images = false;  // IDX: features are bytes
};

/// Reads `path`, CSV or IDX by its content. `settings.target` is a column, or for IDX the label
/// file.
support::Result<LoadedTable> load_table(const std::string& path, const CsvSettings& settings);

}  // namespace talweg::train
