// setp and set. Ordered comparisons of floats fail where one is not a number; equ, neu, ltu, ...
// hold there.
#include "tests/gpu/ptx/forms.h"

namespace talweg::gpu::ptx {

namespace {

/// setp: p, and q as its opposite; with a third operand combined with each.
template <class T, class F, class Combine>
Handler compare() {
  return [](Thread& thread, const Instruction* i) -> const Instruction* {
    const bool holds = F{}(from_slot<T>(thread.r[i->s[2]]), from_slot<T>(thread.r[i->s[3]]));
    const bool third = from_slot<bool>(thread.r[i->s[4]]);
    thread.r[i->s[0]] = Combine{}(holds, third);
    thread.r[i->s[1]] = Combine{}(!holds, third);
    return i + 1;
  };
}

struct First {
  bool operator()(bool a, bool) const { return a; }
};
struct And {
  bool operator()(bool a, bool b) const { return a && b; }
};
struct Or {
  bool operator()(bool a, bool b) const { return a || b; }
};
struct Xor {
  bool operator()(bool a, bool b) const { return a != b; }
};

template <class T, class F>
void add_comparison(Forms& forms, const std::string& name, const std::string& type, Type operand,
                    F) {
  const auto put = [&](const std::string& combination, Handler run, bool has_third) {
    Form form{.run = run, .operands = {{'p', 1}, operand, operand}, .takes_pair = true};
    if (has_third) form.operands.push_back({'p', 1});
    forms.add("setp." + name + combination + "." + type, std::move(form));
  };
  put("", compare<T, F, First>(), false);
  put(".and", compare<T, F, And>(), true);
  put(".or", compare<T, F, Or>(), true);
  put(".xor", compare<T, F, Xor>(), true);
  const std::string set = "set." + name;
  forms.pure<std::uint32_t, T, T>(set + ".u32." + type,
                                  [](T a, T b) { return F{}(a, b) ? ~0U : 0U; });
  forms.pure<std::int32_t, T, T>(set + ".s32." + type, [](T a, T b) { return F{}(a, b) ? -1 : 0; });
  forms.pure<float, T, T>(set + ".f32." + type, [](T a, T b) { return F{}(a, b) ? 1.0F : 0.0F; });
}

template <class T>
void add_equalities(Forms& forms, const std::string& type, Type operand) {
  add_comparison<T>(forms, "eq", type, operand, [](T a, T b) { return a == b; });
  add_comparison<T>(forms, "ne", type, operand, [](T a, T b) { return a < b || a > b; });
}

template <class T>
void add_orders(Forms& forms, const std::string& type, Type operand) {
  add_comparison<T>(forms, "lt", type, operand, [](T a, T b) { return a < b; });
  add_comparison<T>(forms, "le", type, operand, [](T a, T b) { return a <= b; });
  add_comparison<T>(forms, "gt", type, operand, [](T a, T b) { return a > b; });
  add_comparison<T>(forms, "ge", type, operand, [](T a, T b) { return a >= b; });
  if constexpr (std::is_unsigned_v<T>) {
    add_comparison<T>(forms, "lo", type, operand, [](T a, T b) { return a < b; });
    add_comparison<T>(forms, "ls", type, operand, [](T a, T b) { return a <= b; });
    add_comparison<T>(forms, "hi", type, operand, [](T a, T b) { return a > b; });
    add_comparison<T>(forms, "hs", type, operand, [](T a, T b) { return a >= b; });
  }
}

template <class T>
void add_unordered(Forms& forms, const std::string& type) {
  const Type operand = type_for<T>();
  add_comparison<T>(forms, "equ", type, operand, [](T a, T b) { return !(a < b || a > b); });
  add_comparison<T>(forms, "neu", type, operand, [](T a, T b) { return a != b; });
  add_comparison<T>(forms, "ltu", type, operand, [](T a, T b) { return !(a >= b); });
  add_comparison<T>(forms, "leu", type, operand, [](T a, T b) { return !(a > b); });
  add_comparison<T>(forms, "gtu", type, operand, [](T a, T b) { return !(a <= b); });
  add_comparison<T>(forms, "geu", type, operand, [](T a, T b) { return !(a < b); });
  add_comparison<T>(forms, "num", type, operand, [](T a, T b) { return a == a && b == b; });
  add_comparison<T>(forms, "nan", type, operand, [](T a, T b) { return a != a || b != b; });
}

template <class T>
void add_integers(Forms& forms, const std::string& type) {
  add_equalities<T>(forms, type, type_for<T>());
  add_orders<T>(forms, type, type_for<T>());
}

template <class T>
void add_floats(Forms& forms, const std::string& type) {
  add_integers<T>(forms, type);
  add_unordered<T>(forms, type);
}

}  // namespace

void add_comparison_forms(Forms& forms) {
  add_equalities<std::uint16_t>(forms, "b16", {'b', 16});
  add_equalities<std::uint32_t>(forms, "b32", {'b', 32});
  add_equalities<std::uint64_t>(forms, "b64", {'b', 64});
  add_integers<std::uint16_t>(forms, "u16");
  add_integers<std::int16_t>(forms, "s16");
  add_integers<std::uint32_t>(forms, "u32");
  add_integers<std::int32_t>(forms, "s32");
  add_integers<std::uint64_t>(forms, "u64");
  add_integers<std::int64_t>(forms, "s64");
  add_floats<float>(forms, "f32");
  add_floats<double>(forms, "f64");
}

}  // namespace talweg::gpu::ptx
