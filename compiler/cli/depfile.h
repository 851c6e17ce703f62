// What a build was made of, for Make and Ninja.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace talweg::cli {

/// "targets: sources" as Make and Ninja read it, one path a line. Paths must not hold line breaks,
/// for which both have no form.
std::string depfile_text(const std::vector<std::filesystem::path>& targets,
                         const std::vector<std::filesystem::path>& sources);

}  // namespace talweg::cli
