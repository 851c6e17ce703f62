// A new text for a file that must stay the same file: its other names (hard links), its owner.
#pragma once

#include <filesystem>
#include <string_view>

#include "runtime/support/result.h"

namespace talweg::support {

/// Writes `text` over `old_text`, which is what the regular file `path` holds. Space is reserved
/// before the first byte is changed; where that or the writing fails (Io), the file holds the old
/// text again. Meant for texts, which may end with empty lines: if the program is killed in
/// between, such lines may be left behind a shorter text.
Status overwrite_file(const std::filesystem::path& path, std::string_view old_text,
                      std::string_view text);

}  // namespace talweg::support
