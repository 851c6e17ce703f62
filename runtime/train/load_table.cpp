// Choosing the reader by the file's first bytes.
#include "runtime/train/load_table.h"

#include <fmt/format.h>

#include "runtime/train/data_file.h"
#include "runtime/train/idx.h"

namespace talweg::train {
namespace {

support::Result<LoadedTable> load_images(const std::string& bytes, const std::string& path,
                                         const CsvSettings& settings) {
  std::optional<std::string> labels;
  if (!settings.target.empty()) {
    auto read = read_data_file(settings.target);
    if (!read) return read.failure();
    labels = std::move(*read);
  }
  auto table = read_idx_table(bytes, path, labels, settings.target);
  if (!table) return table.failure();
  if (settings.features && settings.features->size() != table->columns()) {
    return support::Failure{
        support::FailureKind::Usage,
        fmt::format("{} has images of {} pixels, but the model was trained on {}", path,
                    table->columns(), settings.features->size())};
  }
  return LoadedTable{std::move(*table), true};
}

}  // namespace

support::Result<LoadedTable> load_table(const std::string& path, const CsvSettings& settings) {
  auto bytes = read_data_file(path);
  if (!bytes) return bytes.failure();
  if (is_idx(*bytes)) return load_images(*bytes, path, settings);
  auto table = read_csv_table(*bytes, path, settings);
  if (!table) return table.failure();
  return LoadedTable{std::move(*table), false};
}

}  // namespace talweg::train
