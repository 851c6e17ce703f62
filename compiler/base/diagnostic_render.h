// How diagnostics look: as text for people, as JSON lines for programs.
#pragma once

#include <string>

#include "compiler/base/diagnostics.h"

namespace talweg::base {

/// The diagnostics as text with source lines, marks and helps, ending with a count of what was
/// dropped. `color` adds ANSI colours. Lines longer than a screen are cut around the mark.
std::string render_text(const Diagnostics& diagnostics, const Sources& sources, bool color);

/// One JSON object a diagnostic a line: code, severity, message, file, line, column, end_line,
/// end_column, label, labels, helps.
std::string render_json(const Diagnostics& diagnostics, const Sources& sources);

}  // namespace talweg::base
