// The safetensors format: an 8-byte little-endian length, a JSON header of that length, then the
// tensors' bytes without holes. https://github.com/huggingface/safetensors, "Format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/tensor_type.h"
#include "runtime/support/result.h"

namespace talweg::checkpoint {

using Metadata = std::map<std::string, std::string>;

/// A tensor to be written: row-major, in host memory of the caller.
struct TensorView {
  std::string name;
  TensorType type = TensorType::F32;
  std::vector<std::uint64_t> shape;
  const void* data = nullptr;
};

/// Writes a file atomically (file_io.h). Tensors of wider types come first, so that each is aligned
/// in the file. Failures: a name twice, the name `__metadata__`, text that is not UTF-8 (Usage);
/// the disk (Io).
support::Status write_safetensors(const std::filesystem::path& path,
                                  std::span<const TensorView> tensors,
                                  const Metadata& metadata = {});

/// A whole file in memory, checked: names differ, types are known, offsets tile the data without
/// holes or overlap and agree with shapes.
class Safetensors {
 public:
  struct Entry {
    std::string name;
    TensorType type = TensorType::F32;
    std::vector<std::uint64_t> shape;
    std::uint64_t begin = 0, end = 0;  // bytes, from the end of the header
  };

  /// Failure (Io): the file cannot be read, or is not as the format demands; the message says
  /// where.
  static support::Result<Safetensors> read(const std::filesystem::path& path);
  /// The same from bytes; `name` is the file's in messages.
  static support::Result<Safetensors> parse(std::string bytes, const std::string& name);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }  // by name
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  /// Null if there is no tensor of this name.
  [[nodiscard]] const Entry* find(std::string_view name) const;
  /// The bytes of a tensor: little-endian, row-major, not aligned.
  [[nodiscard]] std::span<const std::byte> data(const Entry& entry) const;

 private:
  std::string bytes_;
  std::size_t data_start_ = 0;
  std::vector<Entry> entries_;
  Metadata metadata_;
};

}  // namespace talweg::checkpoint
