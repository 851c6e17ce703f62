// What PTX says that instructions give, computed another way than the interpreter does: integers
// without bound, floats by MPFR.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tests/gpu/ptx/run_form.h"

namespace talweg::gpu::ptx::tests {

/// From operands to the result, in bits. PTX leaves some results open: nothing there.
using Reference = std::function<std::optional<std::uint64_t>(const Row&)>;

/// Nothing if the form is of another kind.
std::optional<Reference> integer_reference(const std::string& opcode);
std::optional<Reference> bits_reference(const std::string& opcode);
std::optional<Reference> float_reference(const std::string& opcode);
std::optional<Reference> comparison_reference(const std::string& opcode);
std::optional<Reference> conversion_reference(const std::string& opcode);

/// The opcode's last part, or the one before.
struct TypeName {
  char kind = 'b';
  unsigned bits = 0;
};
TypeName type_named(std::string_view part);

/// Any NaN is like another.
bool is_nan(TypeName type, std::uint64_t bits);
double number_in(TypeName type, std::uint64_t bits);

}  // namespace talweg::gpu::ptx::tests
