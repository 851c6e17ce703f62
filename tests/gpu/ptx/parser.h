// PTX text to syntax. Knows directives and the shapes of operands; instructions are for decode.h.
#pragma once

#include "tests/gpu/ptx/lexer.h"
#include "tests/gpu/ptx/syntax.h"

namespace talweg::gpu::ptx {

/// Throws Fault, with the line, for what it does not know.
Module parse(const Text& text);

/// Of a word such as ".b64" or "f32"; bits of 0 if it is none.
Type type_of(std::string_view word);

}  // namespace talweg::gpu::ptx
