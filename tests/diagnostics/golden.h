// Golden tests of diagnostics: files that hold a wrong program, and beside each what talweg says of
// it.
//
// NAME.tw holds the program and NAME.expected the rendered text; NAME begins with the kind of
// diagnostic it shows, in snake_case (unknown_name.tw, unknown_name_in_fn.tw). With
// TALWEG_UPDATE_GOLDENS=1 in the environment the expectations are written instead of compared; read
// them before you commit them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"

namespace talweg::test {

/// Reads the file, names its source by its file name alone, and reports all that is wrong with it.
using Checker = std::function<void(const std::filesystem::path& file, base::Sources& sources,
                                   base::Diagnostics& diagnostics)>;

/// Runs `check` on every .tw file right in `folder` and compares. Returns how many went wrong, each
/// described on standard error: another text, no diagnostic of the kind the name promises, no file
/// at all. Paths of the folder in the text are cut to names.
int compare_goldens(const std::filesystem::path& folder, const Checker& check);

/// Compares (or writes) one expectation; false if it differs.
bool matches_golden(const std::filesystem::path& expected, const std::string& text);

/// "UnknownName" as "unknown_name".
std::string snake_case(std::string_view name);

/// All of a file; empty if there is none.
std::string read_file(const std::filesystem::path& file);

}  // namespace talweg::test
