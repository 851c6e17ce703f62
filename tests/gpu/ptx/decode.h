// Syntax to what runs: resolves names, and refuses what is not known with its line.
#pragma once

#include <map>
#include <string>

#include "tests/gpu/ptx/program.h"

namespace talweg::gpu::ptx {

/// What a name of the module stands for.
struct Symbol {
  enum class Kind { Variable, Function };
  Kind kind = Kind::Variable;
  Space space = Space::Generic;
  std::uint64_t address = 0;  // in its space; of functions in the generic one
  const Code* code = nullptr;
};

using Symbols = std::map<std::string, Symbol, std::less<>>;

/// Fills `code`, whose head is known, from a function's body. Variables in shared memory that are
/// declared in it are added to `program`.
void decode_body(Program& program, const Symbols& symbols, const Function& function, Code& code);

/// A place for a variable in shared memory, apart from its neighbours.
std::uint64_t place_shared(Program& program, const Variable& variable);

/// Whether two functions take and give the same.
bool is_same(const Prototype& a, const Prototype& b);

}  // namespace talweg::gpu::ptx
