// Where fields of the C structs of runtime/abi lie, on machines with pointers of 8 bytes and of 4.
// Structs without pointers are the same on both; those with them are described here field by field.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "runtime/abi/talweg_abi.h"

namespace talweg::codegen {

/// Bytes from the start of a struct (or of all of it) by the size of pointers.
struct Offset {
  std::uint32_t wide;    // 8 bytes: on all that this compiler runs on
  std::uint32_t narrow;  // 4 bytes
};

struct AbiField {
  const char* name;
  std::size_t offset, bytes;
  bool is_pointer;
};

/// The fields of a struct in their order.
template <class Struct>
inline constexpr std::array<AbiField, 0> kAbiFields;

#define TALWEG_ABI_FIELD(type, member)                              \
  ::talweg::codegen::AbiField {                                     \
#member, offsetof(type, member), sizeof(type::member),          \
        std::is_pointer_v < decltype(std::declval <type>().member)> \
  }

#define F(member) TALWEG_ABI_FIELD(talweg_placement, member)
template <>
inline constexpr std::array kAbiFields<talweg_placement> = {
    F(facts), F(route), F(state_present), F(input_present), F(in_domain), F(requirement_met)};
#undef F

#define F(member) TALWEG_ABI_FIELD(talweg_scalar_args, member)
template <>
inline constexpr std::array kAbiFields<talweg_scalar_args> = {
    F(step_number), F(call_number), F(hypers),      F(states),      F(inputs),  F(given),
    F(new_states),  F(bound),       F(model_slots), F(group_slots), F(needed),  F(outcome),
    F(kept),        F(unbound),     F(regrad),      F(reduced),     F(partials)};
#undef F

#define F(member) TALWEG_ABI_FIELD(talweg_pass_args, member)
template <>
inline constexpr std::array kAbiFields<talweg_pass_args> = {
    F(chunks),         F(pointers),          F(tensor_groups),
    F(model_slots),    F(group_slots),       F(group_args),
    F(tensor_routes),  F(tensor_facts),      F(tensor_slots),
    F(tensor_states),  F(new_tensor_states), F(tensor_inputs),
    F(tensor_reduced), F(tensor_partials),   F(chunk_partials),
    F(chunk_count),    F(tensor_count),      F(phase),
    F(views),          F(matrix_chunks),     F(row_chunks),
    F(col_chunks),     F(row_blocks),        F(matrix_count),
    F(row_count),      F(col_count),         F(block_col_count),
    F(matrix_slots),   F(matrix_states),     F(new_matrix_states),
    F(matrix_reduced), F(matrix_partials),   F(row_slots),
    F(col_slots),      F(line_states),       F(row_partials),
    F(col_partials),   F(block_partials),    F(round_elements),
    F(matrix_inputs),  F(line_inputs)};
#undef F
#undef TALWEG_ABI_FIELD

/// Lays the fields of `Struct` out one after the other, as C does. The offset that is `wide` bytes
/// where pointers have `pointer_bytes`; of all of them, and then the size, where no field is there.
template <class Struct>
constexpr std::size_t lay_out_up_to(std::size_t wide, std::size_t pointer_bytes) {
  const auto round_up = [](std::size_t value, std::size_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
  };
  std::size_t end = 0, alignment = 1;
  for (const AbiField& field : kAbiFields<Struct>) {
    const std::size_t bytes = field.is_pointer ? pointer_bytes : field.bytes;
    end = round_up(end, bytes);
    if (field.offset == wide) return end;
    end += bytes;
    alignment = bytes > alignment ? bytes : alignment;
  }
  return round_up(end, alignment);
}

/// Whether the fields above are all there are: laid out with this machine's pointers they lie where
/// its compiler puts them, without holes in which one might be missing.
template <class Struct>
constexpr bool are_all_fields() {
  std::size_t end = 0;
  for (const AbiField& field : kAbiFields<Struct>) {
    if (field.offset != end) return false;
    end += field.bytes;
    if (lay_out_up_to<Struct>(field.offset, sizeof(void*)) != field.offset) return false;
  }
  return end == sizeof(Struct) && kAbiFields<Struct>.size() > 0;
}
static_assert(sizeof(void*) == 8);
static_assert(are_all_fields<talweg_placement>());
static_assert(are_all_fields<talweg_scalar_args>());
static_assert(are_all_fields<talweg_pass_args>());

template <class Struct>
consteval Offset offset_at(std::size_t wide) {
  return {static_cast<std::uint32_t>(wide),
          static_cast<std::uint32_t>(lay_out_up_to<Struct>(wide, 4))};
}

/// The offset of a field of a struct that is described here.
#define TALWEG_FIELD(type, member) ::talweg::codegen::offset_at<type>(offsetof(type, member))

/// The size of such a struct.
template <class Struct>
inline constexpr Offset kSizeOf = offset_at<Struct>(sizeof(Struct));

// What codegen reads of these is the same everywhere: they have no pointers.
static_assert(sizeof(talweg_slot) == 8 && sizeof(talweg_chunk) == 16 &&
              sizeof(talweg_line_chunk) == 24 && sizeof(talweg_matrix_view) == 80);

}  // namespace talweg::codegen
