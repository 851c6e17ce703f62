// Whole data files in memory, unpacked: CSV and IDX readers start from these bytes.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/support/result.h"

namespace talweg::train {

/// Largest unpacked data file: what would not fit once more as numbers on common machines.
inline constexpr std::uint64_t kMaxDataFileBytes = std::uint64_t{1} << 30U;

/// The bytes of `path`, unpacked if they start as gzip does (whatever the name ends in). Failures
/// (Io) name the file: missing, a folder, unreadable, a damaged or cut-off archive, more than
/// `limit` bytes.
support::Result<std::string> read_data_file(const std::string& path,
                                            std::uint64_t limit = kMaxDataFileBytes);

}  // namespace talweg::train
