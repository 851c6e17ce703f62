// What a run's summary says that whoever uses its parameters should know.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace talweg::train {

/// Reads the summary beside the file `parameters`. One warning where the run ended by a value that
/// was not finite or was interrupted, or where the summary cannot be read. `wants_summary`: also
/// where there is none.
std::vector<std::string> run_warnings(const std::filesystem::path& parameters, bool wants_summary);

}  // namespace talweg::train
