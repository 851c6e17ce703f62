// What tells one build of the compiler from another: the ELF build id of the program (or library)
// it is linked into.
#pragma once

#include <string>

namespace talweg::driver {

/// In hexadecimal; empty where the linker wrote none. Two builds that may generate different code
/// differ.
std::string build_id();

}  // namespace talweg::driver
