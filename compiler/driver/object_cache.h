// Compiled objects on disk, found by the whole text of what they were compiled from.
//
// A cache that cannot be read, was cut short, was tampered with by another user, or cannot be
// written is as good as none: the object is compiled again. An entry is used only if its key is the
// same text, byte for byte, and its checksum holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace talweg::driver {

class ObjectCache {
 public:
  /// Entries are dropped, those unused longest first, while all together exceed this.
  static constexpr std::uint64_t kMaxBytes = 256u << 20;

  explicit ObjectCache(std::filesystem::path folder, std::uint64_t max_bytes = kMaxBytes)
      : folder_(std::move(folder)), max_bytes_(max_bytes) {}

  [[nodiscard]] std::optional<std::string> find(std::string_view key) const;
  /// Written whole or not at all, also when several processes store at once.
  void store(std::string_view key, std::string_view object) const;

 private:
  [[nodiscard]] std::filesystem::path entry_path(std::string_view key) const;
  void drop_old_entries() const;

  std::filesystem::path folder_;
  std::uint64_t max_bytes_;
};

/// `chosen` if not empty, else $TALWEG_CACHE_DIR, $XDG_CACHE_HOME/talweg, ~/.cache/talweg; nothing
/// where none of them is set.
std::optional<std::filesystem::path> cache_folder(const std::filesystem::path& chosen);

}  // namespace talweg::driver
