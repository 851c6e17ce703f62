// Logic, shifts, fields of bits, bytes, and choices.
#include <algorithm>

#include "tests/gpu/ptx/forms.h"

namespace talweg::gpu::ptx {

namespace {

template <class B>
void add_logic(Forms& forms, const std::string& type) {
  using U = decltype(B::bits);
  forms.pure<B, B, B>("and." + type, [](U a, U b) { return static_cast<U>(a & b); });
  forms.pure<B, B, B>("or." + type, [](U a, U b) { return static_cast<U>(a | b); });
  forms.pure<B, B, B>("xor." + type, [](U a, U b) { return static_cast<U>(a ^ b); });
  forms.pure<B, B>("not." + type, [](U a) { return static_cast<U>(~a); });
  forms.pure<B, B, std::uint32_t>("shl." + type, [](U a, std::uint32_t by) {
    return by >= sizeof(U) * 8 ? U{0} : static_cast<U>(std::uint64_t{a} << by);
  });
}

/// Amounts above the width count as the width.
template <class T>
void add_right_shift(Forms& forms, const std::string& type) {
  forms.pure<T, T, std::uint32_t>("shr." + type, [](T a, std::uint32_t by) {
    if (by >= sizeof(T) * 8) return static_cast<T>(a < 0 ? -1 : 0);
    return static_cast<T>(a >> by);
  });
}

std::uint32_t funnel(std::uint32_t low, std::uint32_t high, bool left, std::uint32_t by) {
  const std::uint64_t both = std::uint64_t{high} << 32 | low;
  return left ? static_cast<std::uint32_t>((both << by) >> 32)
              : static_cast<std::uint32_t>(both >> by);
}

template <bool left, bool wraps>
void add_funnel_shift(Forms& forms, const std::string& opcode) {
  using U = std::uint32_t;
  forms.pure<B32, B32, B32, U>(opcode, [](U a, U b, U c) {
    return funnel(a, b, left, wraps ? c & 31 : std::min(c, U{32}));
  });
}

/// Bit i of the result is bit position + i, or the sign of the field beyond it.
template <class T>
T extract_field(T a, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t width = sizeof(T) * 8, position = b & 0xFF, length = c & 0xFF;
  const auto bit = [&](std::uint32_t i) { return (static_cast<std::uint64_t>(a) >> i & 1) != 0; };
  const bool sign =
      std::is_signed_v<T> && length > 0 && bit(std::min(position + length - 1, width - 1));
  std::uint64_t result = 0;
  for (std::uint32_t i = 0; i < width; ++i)
    if (i < length && position + i < width ? bit(position + i) : sign)
      result |= std::uint64_t{1} << i;
  return static_cast<T>(result);
}

template <class U>
U insert_field(U a, U b, std::uint32_t c, std::uint32_t d) {
  const std::uint32_t width = sizeof(U) * 8, position = c & 0xFF, length = d & 0xFF;
  for (std::uint32_t i = 0; i < length && position + i < width; ++i) {
    const U bit = static_cast<U>(U{1} << (position + i));
    b = (a >> i & 1) != 0 ? b | bit : b & static_cast<U>(~bit);
  }
  return b;
}

template <class T>
void add_field(Forms& forms, const std::string& type) {
  using U = std::uint32_t;
  forms.pure<T, T, U, U>("bfe." + type, [](T a, U b, U c) { return extract_field<T>(a, b, c); });
}

template <class B>
void add_counts(Forms& forms, const std::string& type) {
  using U = decltype(B::bits);
  forms.pure<std::uint32_t, B>("clz." + type, [](U a) { return std::countl_zero(a); });
  forms.pure<std::uint32_t, B>("popc." + type, [](U a) { return std::popcount(a); });
  forms.pure<B, B>("brev." + type, [](U a) {
    U result = 0;
    for (std::size_t i = 0; i < sizeof(U) * 8; ++i)
      result = static_cast<U>(result << 1 | (a >> i & 1));
    return result;
  });
  forms.pure<B, B, B, std::uint32_t, std::uint32_t>(
      "bfi." + type,
      [](U a, U b, std::uint32_t c, std::uint32_t d) { return insert_field<U>(a, b, c, d); });
}

/// Each digit of the selector takes a byte of b:a, or its sign eight times.
std::uint32_t permute(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
  const std::uint64_t bytes = std::uint64_t{b} << 32 | a;
  std::uint32_t result = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const std::uint32_t digit = selector >> (4 * i);
    std::uint32_t byte = bytes >> (8 * (digit & 7)) & 0xFF;
    if ((digit & 8) != 0) byte = (byte & 0x80) != 0 ? 0xFF : 0;
    result |= byte << (8 * i);
  }
  return result;
}

std::uint32_t look_up(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t table) {
  std::uint32_t result = 0;
  for (std::uint32_t i = 0; i < 32; ++i) {
    const std::uint32_t row = (a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1);
    result |= (table >> row & 1) << i;
  }
  return result;
}

template <class T>
void add_choice(Forms& forms, const std::string& type) {
  forms.pure<T, T, T, bool>("selp." + type, [](T a, T b, bool p) { return p ? a : b; });
  forms.pure<T, T, T, std::int32_t>("slct." + type + ".s32",
                                    [](T a, T b, std::int32_t c) { return c >= 0 ? a : b; });
  forms.pure<T, T, T, float>("slct." + type + ".f32",
                             [](T a, T b, float c) { return c >= 0 ? a : b; });
}

/// Choices only move bits, so that those of what is not a number stay.
template <class B, class T>
void add_float_choice(Forms& forms, const std::string& type) {
  using U = decltype(B::bits);
  const auto retype = [](Form& form) {
    for (std::size_t i = 0; i < 3; ++i) form.operands[i] = type_for<T>();
  };
  retype(forms.pure<B, B, B, bool>("selp." + type, [](U a, U b, bool p) { return p ? a : b; }));
  retype(forms.pure<B, B, B, std::int32_t>(
      "slct." + type + ".s32", [](U a, U b, std::int32_t c) { return c >= 0 ? a : b; }));
  retype(forms.pure<B, B, B, float>("slct." + type + ".f32",
                                    [](U a, U b, float c) { return c >= 0 ? a : b; }));
}

}  // namespace

void add_bit_forms(Forms& forms) {
  using U = std::uint32_t;
  forms.pure<bool, bool, bool>("and.pred", [](bool a, bool b) { return a && b; });
  forms.pure<bool, bool, bool>("or.pred", [](bool a, bool b) { return a || b; });
  forms.pure<bool, bool, bool>("xor.pred", [](bool a, bool b) { return a != b; });
  forms.pure<bool, bool>("not.pred", [](bool a) { return !a; });
  add_logic<B16>(forms, "b16");
  add_logic<B32>(forms, "b32");
  add_logic<B64>(forms, "b64");
  add_right_shift<std::uint16_t>(forms, "u16");
  add_right_shift<std::int16_t>(forms, "s16");
  add_right_shift<std::uint32_t>(forms, "u32");
  add_right_shift<std::int32_t>(forms, "s32");
  add_right_shift<std::uint64_t>(forms, "u64");
  add_right_shift<std::int64_t>(forms, "s64");
  add_right_shift<std::uint16_t>(forms, "b16");
  add_right_shift<std::uint32_t>(forms, "b32");
  add_right_shift<std::uint64_t>(forms, "b64");
  add_funnel_shift<true, true>(forms, "shf.l.wrap.b32");
  add_funnel_shift<true, false>(forms, "shf.l.clamp.b32");
  add_funnel_shift<false, true>(forms, "shf.r.wrap.b32");
  add_funnel_shift<false, false>(forms, "shf.r.clamp.b32");
  add_field<std::uint32_t>(forms, "u32");
  add_field<std::int32_t>(forms, "s32");
  add_field<std::uint64_t>(forms, "u64");
  add_field<std::int64_t>(forms, "s64");
  add_counts<B32>(forms, "b32");
  add_counts<B64>(forms, "b64");
  forms.pure<B32, B32, B32, B32>("prmt.b32", [](U a, U b, U c) { return permute(a, b, c); });
  forms.pure<B32, B32, B32, B32, U>("lop3.b32",
                                    [](U a, U b, U c, U t) { return look_up(a, b, c, t); });
  add_choice<B16>(forms, "b16");
  add_choice<B32>(forms, "b32");
  add_choice<B64>(forms, "b64");
  add_choice<std::uint16_t>(forms, "u16");
  add_choice<std::int16_t>(forms, "s16");
  add_choice<std::uint32_t>(forms, "u32");
  add_choice<std::int32_t>(forms, "s32");
  add_choice<std::uint64_t>(forms, "u64");
  add_choice<std::int64_t>(forms, "s64");
  add_float_choice<B32, float>(forms, "f32");
  add_float_choice<B64, double>(forms, "f64");
}

}  // namespace talweg::gpu::ptx
