// The element types of safetensors files that talweg reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/abi/talweg_abi.h"

namespace talweg::checkpoint {

enum class TensorType : std::uint8_t { F64, F32, I64, U64, U8 };

/// "F64", ..., as in the file.
std::string_view name(TensorType type);
std::optional<TensorType> find_tensor_type(std::string_view name);
std::size_t element_bytes(TensorType type);
/// Nothing for a type that talweg does not serve.
std::optional<TensorType> tensor_type_of(talweg_dtype dtype);

/// Bytes of a tensor; nothing if they cannot be counted in 64 bits.
std::optional<std::uint64_t> tensor_bytes(TensorType type, const std::vector<std::uint64_t>& shape);

}  // namespace talweg::checkpoint
