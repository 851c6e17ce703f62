// Logic, shifts, fields and choices, by the tables and formulas of the PTX manual.
#include <algorithm>
#include <bit>

#include "tests/gpu/ptx/opcode_text.h"
#include "tests/gpu/ptx/reference.h"

namespace talweg::gpu::ptx::tests {

namespace {

using U = std::uint64_t;

U mask_of(unsigned bits) { return bits >= 64 ? ~U{0} : (U{1} << bits) - 1; }

/// value * 2^by, by up to any size.
U shifted_up(U value, U by) { return by >= 64 ? 0 : value << by; }
U shifted_down(U value, U by) { return by >= 64 ? 0 : value >> by; }

/// With copies of the top bit of its width above it.
std::int64_t with_sign(U value, unsigned bits) {
  return static_cast<std::int64_t>(value << (64 - bits)) >> (64 - bits);
}
std::int64_t signed_down(std::int64_t value, U by) { return value >> std::min<U>(by, 63); }

U reversed(U value, unsigned bits) {
  value = (value & 0x5555555555555555) << 1 | (value >> 1 & 0x5555555555555555);
  value = (value & 0x3333333333333333) << 2 | (value >> 2 & 0x3333333333333333);
  value = (value & 0x0F0F0F0F0F0F0F0F) << 4 | (value >> 4 & 0x0F0F0F0F0F0F0F0F);
  return __builtin_bswap64(value) >> (64 - bits);
}

U leading_zeros(U value, unsigned bits) {
  U count = 0;
  for (U bit = U{1} << (bits - 1); bit != 0 && (value & bit) == 0; bit >>= 1) ++count;
  return count;
}

U ones(U value) {
  U count = 0;
  for (; value != 0; value &= value - 1) ++count;
  return count;
}

U field(TypeName type, const Row& row) {
  const U position = row[1] & 0xFF, length = row[2] & 0xFF;
  if (length == 0) return 0;
  if (type.kind == 'u')
    return shifted_down(row[0], position) & mask_of(static_cast<unsigned>(std::min<U>(length, 64)));
  const std::int64_t rest = signed_down(with_sign(row[0], type.bits), position);
  const U kept = static_cast<U>(rest);
  return (length >= 64 ? kept
                       : static_cast<U>(with_sign(kept & mask_of(static_cast<unsigned>(length)),
                                                  static_cast<unsigned>(length)))) &
         mask_of(type.bits);
}

U inserted(unsigned bits, const Row& row) {
  const U position = row[2] & 0xFF, length = row[3] & 0xFF;
  const U ones_there =
      shifted_up(mask_of(static_cast<unsigned>(std::min<U>(length, 64))), position) & mask_of(bits);
  return (row[1] & ~ones_there) | (shifted_up(row[0], position) & ones_there);
}

U permuted(const Row& row) {
  std::uint8_t from[8], to[4];
  const std::uint32_t a = static_cast<std::uint32_t>(row[0]),
                      b = static_cast<std::uint32_t>(row[1]);
  for (int i = 0; i < 4; ++i) {
    from[i] = static_cast<std::uint8_t>(a >> 8 * i);
    from[4 + i] = static_cast<std::uint8_t>(b >> 8 * i);
  }
  for (int i = 0; i < 4; ++i) {
    const int digit = row[2] >> 4 * i & 15;
    const std::uint8_t byte = from[digit & 7];
    to[i] = digit < 8 ? byte : byte >= 128 ? 255 : 0;
  }
  return to[0] | U{to[1]} << 8 | U{to[2]} << 16 | U{to[3]} << 24;
}

U looked_up(const Row& row) {
  U result = 0;
  for (unsigned i = 0; i < 8; ++i)
    if ((row[3] >> i & 1) != 0)
      result |=
          (i & 4 ? row[0] : ~row[0]) & (i & 2 ? row[1] : ~row[1]) & (i & 1 ? row[2] : ~row[2]);
  return result & 0xFFFFFFFF;
}

U funnel_shifted(bool left, bool wraps, const Row& row) {
  const U by = wraps ? row[2] % 32 : std::min<U>(row[2], 32);
  const U low = row[0], high = row[1];
  return (left ? high << by | shifted_down(low, 32 - by)
               : shifted_down(low, by) | high << (32 - by)) &
         0xFFFFFFFF;
}

std::optional<U> bitwise(std::string_view name, TypeName type, const Row& row) {
  const U all = mask_of(type.bits);
  if (name == "and") return row[0] & row[1];
  if (name == "or") return row[0] | row[1];
  if (name == "xor") return row[0] ^ row[1];
  if (name == "not") return ~row[0] & all;
  if (name == "shl") return shifted_up(row[0], row[1]) & all;
  if (name == "shr" && type.kind == 's')
    return static_cast<U>(signed_down(with_sign(row[0], type.bits), row[1])) & all;
  if (name == "shr") return shifted_down(row[0], row[1]);
  if (name == "bfe") return field(type, row);
  if (name == "bfi") return inserted(type.bits, row);
  if (name == "clz") return leading_zeros(row[0], type.bits);
  if (name == "popc") return ones(row[0]);
  if (name == "brev") return reversed(row[0], type.bits);
  if (name == "prmt") return permuted(row);
  if (name == "lop3") return looked_up(row);
  if (name == "selp") return row[2] == 1 ? row[0] : row[1];
  return std::nullopt;
}

}  // namespace

TypeName type_named(std::string_view part) {
  if (part == "pred") return {'p', 1};
  if (part.size() < 2 || std::string_view("busf").find(part[0]) == std::string_view::npos)
    return {};
  unsigned bits = 0;
  for (const char c : part.substr(1)) {
    if (c < '0' || c > '9') return {};
    bits = bits * 10 + static_cast<unsigned>(c - '0');
  }
  return {part[0], bits};
}

std::optional<Reference> bits_reference(const std::string& opcode) {
  const auto parts = split_opcode(opcode);
  const std::string name(parts[0]);
  if (name == "shf") {
    const bool left = parts[1] == "l", wraps = parts[2] == "wrap";
    return
        [left, wraps](const Row& row) { return std::optional(funnel_shifted(left, wraps, row)); };
  }
  if (name == "slct") {
    const bool by_float = parts[2] == "f32";
    return [by_float](const Row& row) {
      const auto bits = static_cast<std::uint32_t>(row[2]);
      const bool is_negative = (bits >> 31) != 0 && !(by_float && bits == 0x80000000);
      const bool is_none = by_float && (bits & 0x7FFFFFFF) > 0x7F800000;
      return std::optional(is_negative || is_none ? row[1] : row[0]);
    };
  }
  const TypeName type = type_named(parts.back());
  if (parts.size() != 2 || type.bits == 0) return std::nullopt;
  if (!bitwise(name, type, {0, 0, 0, 0})) return std::nullopt;
  return [name, type](const Row& row) { return bitwise(name, type, row); };
}

}  // namespace talweg::gpu::ptx::tests
