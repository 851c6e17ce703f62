// What a build was made of, for Make and Ninja.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace talweg::cli {

/// "target: sources" as Make and Ninja read it, one path a line. Paths must not hold line breaks,
/// for which both have no form. One target only: Ninja refuses those that its rule does not name.
std::string depfile_text(const std::filesystem::path& target,
                         const std::vector<std::filesystem::path>& sources);

}  // namespace talweg::cli
