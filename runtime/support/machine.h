// What the machine has.
#pragma once

#include <cstdint>
#include <string>

namespace talweg::support {

/// Bytes of main memory. The greatest number where the system does not say.
std::uint64_t physical_memory_bytes();

/// What the processor calls itself, without control characters; "processor" where the system does
/// not say.
std::string processor_name();

}  // namespace talweg::support
