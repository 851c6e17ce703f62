// Whole files: read with a limit, written so that a reader sees the old file or the new one, never
// half.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "runtime/support/result.h"

namespace talweg::support {

inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 40;

/// The bytes of a file, pipe or device. Failures (Io): it cannot be opened or read, it is a folder,
/// it holds more than `max_bytes` bytes (found out without reading further).
Result<std::string> read_file(const std::filesystem::path& path,
                              std::uint64_t max_bytes = kMaxFileBytes);

/// Replaces `path` by a file of these pieces, one after the other: writes a temporary file in the
/// same folder, syncs it, renames it and syncs the folder. A symbolic link is followed; permissions
/// of an existing file are kept. On failure (Io; the message names the path and the system's
/// reason) the old file is untouched and the temporary one is gone. A device or a pipe is written
/// to as it stands.
Status write_file_atomically(const std::filesystem::path& path,
                             std::span<const std::span<const std::byte>> pieces);
Status write_file_atomically(const std::filesystem::path& path, std::string_view text);

struct FileText {
  std::filesystem::path path;
  std::string_view text;
};

/// The same for files that belong together: first writes all temporary files, then puts them in
/// place in the order given. Where one cannot be written, none is replaced.
Status write_files_atomically(std::span<const FileText> files);

}  // namespace talweg::support
