// Memory of the host for states: zeroed, aligned to pages, in huge pages where it is large.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

namespace talweg::device {

/// A block of memory; frees itself. An empty block has a null pointer.
class HostBlock {
 public:
  /// `bytes` zeroed bytes from the start of a page (4096 bytes). Blocks of many megabytes start at
  /// a huge page, and the system is asked to back them by such. Nothing: the system has no room for
  /// it.
  static std::optional<HostBlock> allocate(std::size_t bytes);

  HostBlock() = default;
  HostBlock(HostBlock&& other) noexcept
      : mapping_(std::exchange(other.mapping_, nullptr)),
        mapping_bytes_(std::exchange(other.mapping_bytes_, 0)),
        data_(std::exchange(other.data_, nullptr)) {}
  HostBlock& operator=(HostBlock&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    std::swap(mapping_bytes_, other.mapping_bytes_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~HostBlock();

  [[nodiscard]] void* data() const { return data_; }

 private:
  void* mapping_ = nullptr;
  std::size_t mapping_bytes_ = 0;
  void* data_ = nullptr;  // inside the mapping
};

}  // namespace talweg::device
