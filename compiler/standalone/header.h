// The C header of a library: its front page. What all libraries have in common is the text of
// runtime/standalone/interface.h; the rest is written from the rules and their comments.
#pragma once

#include <string>

#include "compiler/standalone/library_module.h"

namespace talweg::standalone {

/// `file_name`: "adamw.h". `platforms`: that the library is for.
std::string header_text(const Library& library, const std::string& file_name,
                        const std::vector<const Platform*>& platforms);

}  // namespace talweg::standalone
