// What the machine has.
#pragma once

#include <cstdint>

namespace talweg::support {

/// Bytes of main memory. The greatest number where the system does not say.
std::uint64_t physical_memory_bytes();

}  // namespace talweg::support
