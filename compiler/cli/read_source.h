// Reading of .tw files named on the command line.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/support/result.h"

namespace talweg::cli {

/// The text of a file ("-": standard input). Io failure: missing, a folder, unreadable, larger than
/// 8 MiB.
support::Result<std::string> read_source(const std::filesystem::path& file);

}  // namespace talweg::cli
