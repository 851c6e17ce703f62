// The part of a header that is about one rule: its documentation, hypers, inputs and functions.
#pragma once

#include <string>

#include "compiler/standalone/library_module.h"

namespace talweg::standalone {

std::string rule_header(const Library& library, const LibraryRule& rule);

}  // namespace talweg::standalone
