// Entries of the cache: a header line, the lengths of key and object, both, and a checksum of it
// all; see object_cache.h.
#include "compiler/driver/object_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <llvm/Support/xxhash.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "runtime/support/file_io.h"

namespace talweg::driver {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "talweg object 1\n";
constexpr std::string_view kEntryPrefix = "talweg-";
constexpr std::string_view kEntrySuffix = ".object";
constexpr std::string_view kTemporaryPrefix = "talweg-writing-";
constexpr std::uint64_t kMaxEntryBytes = 64u << 20;

std::uint64_t checksum(std::string_view bytes) {
  return llvm::xxh3_64bits(llvm::StringRef(bytes.data(), bytes.size()));
}

void append_number(std::string& text, std::uint64_t number) {
  std::array<char, sizeof number> bytes{};
  std::memcpy(bytes.data(), &number, sizeof number);
  text.append(bytes.data(), bytes.size());
}

std::uint64_t number_at(std::string_view text, std::size_t offset) {
  std::uint64_t number = 0;
  std::memcpy(&number, text.data() + offset, sizeof number);
  return number;
}

std::string pack(std::string_view key, std::string_view object) {
  std::string entry(kMagic);
  append_number(entry, key.size());
  append_number(entry, object.size());
  entry.append(key).append(object);
  append_number(entry, checksum(entry));
  return entry;
}

std::optional<std::string> unpack(std::string_view entry, std::string_view key) {
  const std::size_t header = kMagic.size() + 2 * sizeof(std::uint64_t);
  if (entry.size() < header + sizeof(std::uint64_t) || !entry.starts_with(kMagic)) return {};
  const std::string_view content = entry.substr(0, entry.size() - sizeof(std::uint64_t));
  if (number_at(entry, content.size()) != checksum(content)) return {};
  if (number_at(entry, kMagic.size()) != key.size()) return {};
  const std::uint64_t object_bytes = number_at(entry, kMagic.size() + sizeof(std::uint64_t));
  if (content.size() - header < key.size() || object_bytes != content.size() - header - key.size())
    return {};
  if (content.substr(header, key.size()) != key) return {};
  return std::string(content.substr(header + key.size()));
}

/// Code from a file that somebody else could have written is not run.
bool is_ours_alone(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && status.st_uid == ::geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// The folder may be one that holds other things: only files of ours are counted and dropped.
bool is_cache_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(kTemporaryPrefix) ||
         (name.starts_with(kEntryPrefix) && name.ends_with(kEntrySuffix));
}

bool write_whole(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

fs::path ObjectCache::entry_path(std::string_view key) const {
  return folder_ / fmt::format("{}{:016x}{}", kEntryPrefix, checksum(key), kEntrySuffix);
}

std::optional<std::string> ObjectCache::find(std::string_view key) const {
  const fs::path path = entry_path(key);
  std::error_code error;
  if (!fs::is_regular_file(path, error) || !is_ours_alone(folder_) || !is_ours_alone(path))
    return {};
  const auto entry = support::read_file(path, kMaxEntryBytes);
  if (!entry) return {};
  auto object = unpack(*entry, key);
  if (object) fs::last_write_time(path, fs::file_time_type::clock::now(), error);
  return object;
}

void ObjectCache::store(std::string_view key, std::string_view object) const {
  std::error_code error;
  const bool is_new = fs::create_directories(folder_, error);
  if (is_new) fs::permissions(folder_, fs::perms::owner_all, error);
  if (error || !is_ours_alone(folder_)) return;
  std::string temporary = (folder_ / fmt::format("{}XXXXXX", kTemporaryPrefix)).string();
  const int file = ::mkstemp(temporary.data());
  if (file < 0) return;
  const bool is_whole = write_whole(file, pack(key, object));
  const bool is_closed = ::close(file) == 0;
  if (is_whole && is_closed) fs::rename(temporary, entry_path(key), error);
  if (!is_whole || !is_closed || error) fs::remove(temporary, error);
  drop_old_entries();
}

void ObjectCache::drop_old_entries() const {
  struct Entry {
    fs::file_time_type used;
    std::uint64_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    std::error_code unreadable;
    if (!is_cache_file(at->path()) || !at->is_regular_file(unreadable)) continue;
    const Entry entry{at->last_write_time(unreadable), at->file_size(unreadable), at->path()};
    if (unreadable) continue;
    total += entry.bytes;
    entries.push_back(entry);
  }
  std::ranges::sort(entries, {}, &Entry::used);
  for (const Entry& entry : entries) {
    if (total <= max_bytes_) break;
    total -= entry.bytes;
    fs::remove(entry.path, error);
  }
}

std::optional<fs::path> cache_folder(const fs::path& chosen) {
  if (!chosen.empty()) return chosen;
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::optional<fs::path>(value) : std::nullopt;
  };
  if (const auto folder = set("TALWEG_CACHE_DIR")) return folder;
  if (const auto folder = set("XDG_CACHE_HOME")) return *folder / "talweg";
  if (const auto home = set("HOME")) return *home / ".cache" / "talweg";
  return std::nullopt;
}

}  // namespace talweg::driver
