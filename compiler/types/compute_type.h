// The type in which arrays (values of rate row, col and element) are computed. Scalars are float64
// always.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace talweg::types {

enum class ComputeType : std::uint8_t { F32, F64 };

constexpr int size_bytes(ComputeType type) { return type == ComputeType::F32 ? 4 : 8; }
std::string_view to_text(ComputeType type);                                // "float32", "float64"
std::optional<ComputeType> compute_type_from_text(std::string_view text);  // also "f32", "f64"

}  // namespace talweg::types
