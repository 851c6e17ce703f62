// The operations of the language and of the graph: one enumeration, one table.
//
// A switch over Op never has a `default`, so that the compiler names every place a new operation
// needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace talweg::builtins {

enum class Op : std::uint8_t {
  // Arithmetic: each one correctly rounded IEEE 754 operation in the type of its operands.
  Add,
  Sub,
  Mul,
  Div,
  Neg,
  Fma,
  Sqrt,
  Abs,
  // Minimum and maximum propagate NaN and order -0 below +0; sign keeps zeros and NaN.
  Min,
  Max,
  Sign,
  // Rounding to an integral value. Round takes ties to even.
  Floor,
  Ceil,
  Round,
  Trunc,
  // Remainder with the sign of the divisor: a - b * floor(a / b), computed exactly (C fmod,
  // adjusted).
  Mod,
  // Functions written once in float64 (compiler/builtins/elementary); float32 rounds their result.
  Rsqrt,
  Exp,
  Expm1,
  Log,
  Log1p,
  Log2,
  Pow,
  Sin,
  Cos,
  Tan,
  Tanh,
  Atan,
  // Comparisons give bool; with NaN all are false but Ne.
  Lt,
  Le,
  Gt,
  Ge,
  Eq,
  Ne,
  // Logic on bool.
  And,
  Or,
  Not,
  // select(c, a, b): a where c holds, else b.
  Select,
  // is_finite(x): bool.
  IsFinite,
};

inline constexpr int kOpCount = static_cast<int>(Op::IsFinite) + 1;

/// What an operation takes and gives.
enum class Signature : std::uint8_t {
  Numbers,     // numbers -> number, all of one type
  Comparison,  // two numbers -> bool
  Predicate,   // a number -> bool
  Logic,       // bools -> bool
  Choice,      // bool, T, T -> T
};

struct OpInfo {
  Op op;
  Signature signature;
  bool callable;  // by this name in a rule ("sqrt(x)"); operators have symbols instead
  int arity;
  std::string_view name;  // in graph text: "add", "fma"; unique
  std::string_view doc;   // one line for docs and :help: meaning, bound on the error
};

const OpInfo& info(Op op);
const std::vector<OpInfo>& op_table();
/// The operation with this graph name.
std::optional<Op> op_from_name(std::string_view name);
/// The operation that a call of `name` in a rule means (callable ones only).
std::optional<Op> function_from_name(std::string_view name);

}  // namespace talweg::builtins
