// The parts of the parser that read what stands inside a function, and declarations of variables.
#pragma once

#include "tests/gpu/ptx/syntax.h"
#include "tests/gpu/ptx/token_reader.h"

namespace talweg::gpu::ptx {

/// "{" to its "}".
std::vector<Statement> parse_body(TokenReader& reader);
/// "(.param .b32 a, .param .align 8 .b8 b[16])".
std::vector<Variable> parse_parameters(TokenReader& reader);
/// Behind the space (".global"): "[.align N] type name [[count]] [= initial];".
Variable parse_variable(TokenReader& reader, Space space);
/// Of ".global", ".shared", ...; false if the next token is none.
bool accept_space(TokenReader& reader, Space& space);

}  // namespace talweg::gpu::ptx
