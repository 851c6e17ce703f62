// The C header of a library: its front page. What all libraries have in common is the text of
// runtime/standalone/interface.h; the rest is written from the rules and their comments.
#pragma once

#include <string>

#include "compiler/standalone/library_module.h"

namespace talweg::standalone {

/// `file_name`: "adamw.h".
std::string header_text(const Library& library, const std::string& file_name);

}  // namespace talweg::standalone
