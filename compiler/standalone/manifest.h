// What a library is, as JSON: a file beside it, and what NAME_describe() returns.
#pragma once

#include <string>

#include "compiler/standalone/library_module.h"

namespace talweg::standalone {

/// One object: release, name, element type, and of each rule its documentation, hypers, states,
/// inputs and views. Numbers that JSON lacks are the strings "inf", "-inf" and "nan".
std::string manifest_text(const Library& library);

}  // namespace talweg::standalone
