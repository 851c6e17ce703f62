// Integer arithmetic. Everything wraps around; products are taken in 128 bits.
#include <algorithm>

#include "tests/gpu/ptx/forms.h"

namespace talweg::gpu::ptx {

namespace {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Wide;

/// With its sign, so that sums and products are right modulo 2^128.
template <class T>
Wide widen(T value) {
  return static_cast<Wide>(static_cast<Int128>(value));
}
template <class T>
T wrap(Wide value) {
  return static_cast<T>(static_cast<std::uint64_t>(value));
}
template <class T>
T high_half(T a, T b) {
  return wrap<T>((widen(a) * widen(b)) >> (sizeof(T) * 8));
}

template <class T>
void add_common(Forms& forms, const std::string& type) {
  forms.pure<T, T, T>("add." + type, [](T a, T b) { return wrap<T>(widen(a) + widen(b)); });
  forms.pure<T, T, T>("sub." + type, [](T a, T b) { return wrap<T>(widen(a) - widen(b)); });
  forms.pure<T, T, T>("min." + type, [](T a, T b) { return std::min(a, b); });
  forms.pure<T, T, T>("max." + type, [](T a, T b) { return std::max(a, b); });
  forms.pure<T, T, T>("mul.lo." + type, [](T a, T b) { return wrap<T>(widen(a) * widen(b)); });
  forms.pure<T, T, T>("mul.hi." + type, [](T a, T b) { return high_half<T>(a, b); });
  forms.pure<T, T, T, T>("mad.lo." + type,
                         [](T a, T b, T c) { return wrap<T>(widen(a) * widen(b) + widen(c)); });
  forms.pure<T, T, T, T>("mad.hi." + type, [](T a, T b, T c) {
    return wrap<T>(widen(high_half<T>(a, b)) + widen(c));
  });
  if constexpr (std::is_signed_v<T>) {
    forms.pure<T, T>("neg." + type, [](T a) { return wrap<T>(Wide{0} - widen(a)); });
    forms.pure<T, T>("abs." + type,
                     [](T a) { return wrap<T>(a < 0 ? Wide{0} - widen(a) : widen(a)); });
  }
}

template <class T, class W>
void add_wide(Forms& forms, const std::string& type) {
  forms.pure<W, T, T>("mul.wide." + type, [](T a, T b) { return wrap<W>(widen(a) * widen(b)); });
  forms.pure<W, T, T, W>("mad.wide." + type,
                         [](T a, T b, W c) { return wrap<W>(widen(a) * widen(b) + widen(c)); });
}

/// a + b + carry, or a - b - borrow, which are one flag.
template <class U, bool subtracts, bool takes_carry, bool leaves_carry>
Handler with_carry() {
  return [](Thread& thread, const Instruction* i) -> const Instruction* {
    const Wide a = from_slot<U>(thread.r[i->s[2]]);
    const Wide b = from_slot<U>(thread.r[i->s[3]]);
    const Wide carry = takes_carry && thread.carry ? 1 : 0;
    const Wide exact = subtracts ? a - b - carry : a + b + carry;
    thread.r[i->s[0]] = static_cast<U>(exact);
    if (leaves_carry) thread.carry = ((exact >> (sizeof(U) * 8)) & 1) != 0;
    return i + 1;
  };
}

template <class U>
void add_carrying(Forms& forms, const std::string& type) {
  const Type t = type_for<U>();
  const auto put = [&](const std::string& opcode, Handler run) {
    forms.add(opcode + "." + type, {.run = run, .operands = {t, t, t}});
  };
  put("add.cc", with_carry<U, false, false, true>());
  put("addc", with_carry<U, false, true, false>());
  put("addc.cc", with_carry<U, false, true, true>());
  put("sub.cc", with_carry<U, true, false, true>());
  put("subc", with_carry<U, true, true, false>());
  put("subc.cc", with_carry<U, true, true, true>());
}

/// Where PTX leaves the result open, the instruction must not be reached.
template <class T, bool remainder>
Handler divide() {
  return [](Thread& thread, const Instruction* i) -> const Instruction* {
    const T a = from_slot<T>(thread.r[i->s[2]]);
    const T b = from_slot<T>(thread.r[i->s[3]]);
    if (b == 0) stop(thread, i, "divides an integer by zero");
    if (std::is_signed_v<T> && Int128{a} == -(Int128{1} << (sizeof(T) * 8 - 1)) && Int128{b} == -1)
      stop(thread, i, "divides the smallest integer by -1");
    thread.r[i->s[0]] = to_slot(static_cast<T>(remainder ? a % b : a / b));
    return i + 1;
  };
}

template <class T>
void add_division(Forms& forms, const std::string& type) {
  const Type t = type_for<T>();
  forms.add("div." + type, {.run = divide<T, false>(), .operands = {t, t, t}});
  forms.add("rem." + type, {.run = divide<T, true>(), .operands = {t, t, t}});
}

}  // namespace

void add_integer_forms(Forms& forms) {
  add_common<std::uint16_t>(forms, "u16");
  add_common<std::int16_t>(forms, "s16");
  add_common<std::uint32_t>(forms, "u32");
  add_common<std::int32_t>(forms, "s32");
  add_common<std::uint64_t>(forms, "u64");
  add_common<std::int64_t>(forms, "s64");
  add_wide<std::uint16_t, std::uint32_t>(forms, "u16");
  add_wide<std::int16_t, std::int32_t>(forms, "s16");
  add_wide<std::uint32_t, std::uint64_t>(forms, "u32");
  add_wide<std::int32_t, std::int64_t>(forms, "s32");
  add_carrying<std::uint32_t>(forms, "u32");
  add_carrying<std::uint32_t>(forms, "s32");
  add_carrying<std::uint64_t>(forms, "u64");
  add_carrying<std::uint64_t>(forms, "s64");
}

void add_division_forms(Forms& forms) {
  add_division<std::uint16_t>(forms, "u16");
  add_division<std::int16_t>(forms, "s16");
  add_division<std::uint32_t>(forms, "u32");
  add_division<std::int32_t>(forms, "s32");
  add_division<std::uint64_t>(forms, "u64");
  add_division<std::int64_t>(forms, "s64");
}

}  // namespace talweg::gpu::ptx
