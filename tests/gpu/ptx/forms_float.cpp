// Floating-point arithmetic: one rounding to nearest each, subnormal numbers kept.
#include <cmath>

#include "tests/gpu/ptx/forms.h"

namespace talweg::gpu::ptx {

namespace {

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
constexpr BitsOf<T> kSign = BitsOf<T>{1} << (sizeof(T) * 8 - 1);

/// -0 lies below +0. Of a number and what is not a number the number, unless NaN is to stay.
template <class T, bool greater, bool keeps_nan>
T extremum(T a, T b) {
  if (a != a || b != b) {
    if (keeps_nan || (a != a && b != b)) return std::bit_cast<T>(~kSign<T>);
    return a != a ? b : a;
  }
  if (a == b) return std::signbit(a) == greater ? b : a;
  return (a < b) != greater ? a : b;
}

/// Signs are bits: what is not a number keeps its others.
template <class T, class F>
void add_sign_form(Forms& forms, const std::string& opcode, std::size_t count, F function) {
  using B = Bits<BitsOf<T>>;
  Form& form = [&]() -> Form& {
    if constexpr (std::is_invocable_v<F, BitsOf<T>>)
      return forms.pure<B, B>(opcode, function);
    else
      return forms.pure<B, B, B>(opcode, function);
  }();
  form.operands.assign(count + 1, type_for<T>());
}

template <class T>
void add_arithmetic(Forms& forms, const std::string& type) {
  using U = BitsOf<T>;
  forms.pure<T, T, T>("add.rn." + type, [](T a, T b) { return a + b; });
  forms.pure<T, T, T>("sub.rn." + type, [](T a, T b) { return a - b; });
  forms.pure<T, T, T>("mul.rn." + type, [](T a, T b) { return a * b; });
  forms.pure<T, T, T>("div.rn." + type, [](T a, T b) { return a / b; });
  forms.pure<T, T>("rcp.rn." + type, [](T a) { return T{1} / a; });
  forms.pure<T, T>("sqrt.rn." + type, [](T a) { return std::sqrt(a); });
  forms.pure<T, T, T, T>("fma.rn." + type, [](T a, T b, T c) { return std::fma(a, b, c); });
  forms.pure<T, T, T>("min." + type, [](T a, T b) { return extremum<T, false, false>(a, b); });
  forms.pure<T, T, T>("max." + type, [](T a, T b) { return extremum<T, true, false>(a, b); });
  add_sign_form<T>(forms, "neg." + type, 1, [](U a) { return static_cast<U>(a ^ kSign<T>); });
  add_sign_form<T>(forms, "abs." + type, 1, [](U a) { return static_cast<U>(a & ~kSign<T>); });
  add_sign_form<T>(forms, "copysign." + type, 2,
                   [](U a, U b) { return static_cast<U>((a & kSign<T>) | (b & ~kSign<T>)); });
  const auto test = [&](const std::string& name, auto holds) {
    forms.pure<bool, T>("testp." + name + "." + type, holds);
  };
  test("finite", [](T a) { return std::isfinite(a); });
  test("infinite", [](T a) { return std::isinf(a); });
  test("number", [](T a) { return !std::isnan(a); });
  test("notanumber", [](T a) { return std::isnan(a); });
  test("normal", [](T a) { return std::isnormal(a) || a == 0; });
  test("subnormal", [](T a) { return std::fpclassify(a) == FP_SUBNORMAL; });
}

/// Two float32 in one register of 64 bits.
template <class F, class... S>
std::uint64_t on_both(F function, S... operands) {
  const std::uint32_t low =
      std::bit_cast<std::uint32_t>(canonical(function(from_slot<float>(operands)...)));
  const std::uint32_t high =
      std::bit_cast<std::uint32_t>(canonical(function(from_slot<float>(operands >> 32)...)));
  return std::uint64_t{high} << 32 | low;
}

void add_pairs(Forms& forms) {
  using U = std::uint64_t;
  forms.pure<B64, B64, B64>("add.rn.f32x2", [](U a, U b) {
    return on_both([](float x, float y) { return x + y; }, a, b);
  });
  forms.pure<B64, B64, B64>("sub.rn.f32x2", [](U a, U b) {
    return on_both([](float x, float y) { return x - y; }, a, b);
  });
  forms.pure<B64, B64, B64>("mul.rn.f32x2", [](U a, U b) {
    return on_both([](float x, float y) { return x * y; }, a, b);
  });
  forms.pure<B64, B64, B64, B64>("fma.rn.f32x2", [](U a, U b, U c) {
    return on_both([](float x, float y, float z) { return std::fma(x, y, z); }, a, b, c);
  });
}

}  // namespace

void add_float_forms(Forms& forms) {
  add_arithmetic<float>(forms, "f32");
  add_arithmetic<double>(forms, "f64");
  forms.pure<float, float, float>(
      "min.NaN.f32", [](float a, float b) { return extremum<float, false, true>(a, b); });
  forms.pure<float, float, float>(
      "max.NaN.f32", [](float a, float b) { return extremum<float, true, true>(a, b); });
  add_pairs(forms);
}

}  // namespace talweg::gpu::ptx
