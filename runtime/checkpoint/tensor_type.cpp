// One row a type, in the order of the enumeration.
#include "runtime/checkpoint/tensor_type.h"

#include <algorithm>
#include <array>
#include <limits>

namespace talweg::checkpoint {
namespace {

struct Row {
  TensorType type;
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<Row, 5> kRows{{
    {TensorType::F64, "F64", 8},
    {TensorType::F32, "F32", 4},
    {TensorType::I64, "I64", 8},
    {TensorType::U64, "U64", 8},
    {TensorType::U8, "U8", 1},
}};

const Row& row(TensorType type) { return kRows[static_cast<std::size_t>(type)]; }

}  // namespace

std::string_view name(TensorType type) { return row(type).name; }

std::optional<TensorType> find_tensor_type(std::string_view name) {
  for (const Row& candidate : kRows)
    if (candidate.name == name) return candidate.type;
  return std::nullopt;
}

std::size_t element_bytes(TensorType type) { return row(type).bytes; }

std::optional<TensorType> tensor_type_of(talweg_dtype dtype) {
  switch (dtype) {
    case TALWEG_F32:
      return TensorType::F32;
    case TALWEG_F64:
      return TensorType::F64;
    case TALWEG_BF16:
    case TALWEG_F16:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> tensor_bytes(TensorType type,
                                          const std::vector<std::uint64_t>& shape) {
  if (std::find(shape.begin(), shape.end(), 0u) != shape.end()) return 0;
  std::uint64_t bytes = element_bytes(type);
  for (const std::uint64_t size : shape) {
    if (bytes > std::numeric_limits<std::uint64_t>::max() / size) return std::nullopt;
    bytes *= size;
  }
  return bytes;
}

}  // namespace talweg::checkpoint
