// Reading IDX headers against the size of the file, then bytes into a table.
#include "runtime/train/idx.h"

#include <fmt/format.h>

#include <cstdint>

namespace talweg::train {
namespace {

constexpr unsigned char kUnsignedByte = 0x08;
constexpr std::size_t kMagicBytes = 4;

support::Failure bad_file(std::string message) {
  return {support::FailureKind::Io, std::move(message)};
}

struct IdxData {
  std::vector<std::uint64_t> sizes;
  std::string_view values;
};

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

support::Result<IdxData> read_idx(std::string_view bytes, const std::string& source) {
  if (!is_idx(bytes)) {
    return bad_file(
        fmt::format("{} is not an IDX file of unsigned bytes (it would begin with 0 0 8 and its "
                    "number of dimensions, 1 to 4)",
                    source));
  }
  const auto dimensions = static_cast<std::size_t>(bytes[3]);
  const std::size_t header = kMagicBytes * (1 + dimensions);
  if (bytes.size() < header) return bad_file(fmt::format("{} ends inside its header", source));
  IdxData data;
  std::uint64_t count = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const std::uint64_t size = big_endian(bytes.substr(kMagicBytes * (1 + i), kMagicBytes));
    data.sizes.push_back(size);
    if (size == 0) return bad_file(fmt::format("{}: dimension {} has size 0", source, i));
    count = count > kMaxTableValues ? count : count * size;
  }
  if (count > kMaxTableValues) {
    return bad_file(fmt::format("{} says it holds more than {} values, the limit for a table",
                                source, kMaxTableValues));
  }
  data.values = bytes.substr(header);
  if (data.values.size() != count) {
    return bad_file(fmt::format("{} says it holds {} values but has {}; it is cut off or damaged",
                                source, count, data.values.size()));
  }
  return data;
}

support::Status add_labels(Table& table, std::string_view bytes, const std::string& source) {
  auto labels = read_idx(bytes, source);
  if (!labels) return labels.failure();
  if (labels->sizes.size() != 1) {
    return bad_file(
        fmt::format("{} has {} dimensions; labels have one", source, labels->sizes.size()));
  }
  if (labels->sizes[0] != table.rows) {
    return bad_file(fmt::format("{} has {} labels, but {} has {} images", source, labels->sizes[0],
                                table.source, table.rows));
  }
  table.target_name = "label";
  for (const char c : labels->values) {
    table.target_text.push_back(std::to_string(static_cast<unsigned char>(c)));
  }
  return support::ok();
}

}  // namespace

bool is_idx(std::string_view bytes) {
  return bytes.size() >= kMagicBytes && bytes[0] == 0 && bytes[1] == 0 &&
         bytes[2] == kUnsignedByte && bytes[3] >= 1 && bytes[3] <= 4;
}

support::Result<Table> read_idx_table(std::string_view images, const std::string& images_source,
                                      std::optional<std::string_view> labels,
                                      const std::string& labels_source) {
  auto data = read_idx(images, images_source);
  if (!data) return data.failure();
  if (data->sizes.size() < 2) {
    return bad_file(
        fmt::format("{} has one dimension, as label files have; images have two or more (the "
                    "labels are named as the target)",
                    images_source));
  }
  Table table;
  table.source = images_source;
  table.rows = static_cast<std::uint32_t>(data->sizes[0]);
  const std::uint64_t columns = data->values.size() / data->sizes[0];
  for (std::uint64_t i = 0; i < columns; ++i) {
    table.feature_names.push_back(fmt::format("pixel{}", i));
  }
  table.features.reserve(data->values.size());
  for (const char c : data->values) {
    table.features.push_back(static_cast<double>(static_cast<unsigned char>(c)));
  }
  if (labels) {
    if (auto status = add_labels(table, *labels, labels_source); !status) return status.failure();
  }
  return table;
}

}  // namespace talweg::train
