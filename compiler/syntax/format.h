// The canonical layout of a source text (`talweg fmt`).
#pragma once

#include <optional>
#include <string>

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"

namespace talweg::syntax {

/// Lines are broken so that their code ends within this many columns, where it can be.
inline constexpr int kFormatWidth = 100;

/// The text of a module in its canonical layout: the same tree and the same comments, checked
/// before it is given out. Nothing if errors were reported. Formatting it again changes nothing.
std::optional<std::string> format(base::SourceId source, const base::Sources& sources,
                                  base::Diagnostics& diagnostics);

}  // namespace talweg::syntax
