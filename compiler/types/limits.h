// Limits that several layers share.
#pragma once

#include <cstdint>

namespace talweg::types {

/// Of a pipeline, in all arms of its conditions: where a step may wait for another gradient.
inline constexpr std::uint32_t kMaxWrittenRegrads = 16;

}  // namespace talweg::types
