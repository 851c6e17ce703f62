// The table of operations. Its rows are in the order of the enumeration, so that info() is an
// index.
#include "compiler/builtins/op.h"

#include <algorithm>

namespace talweg::builtins {

namespace {

using enum Op;
using enum Signature;

constexpr bool kCallable = true;
constexpr bool kSymbol = false;

constexpr OpInfo kTable[] = {
    {Add, Numbers, kSymbol, 2, "add", "sum, rounded once"},
    {Sub, Numbers, kSymbol, 2, "sub", "difference, rounded once"},
    {Mul, Numbers, kSymbol, 2, "mul", "product, rounded once"},
    {Div, Numbers, kSymbol, 2, "div", "quotient, rounded once"},
    {Neg, Numbers, kSymbol, 1, "neg", "the number with the other sign, exact"},
    {Fma, Numbers, kSymbol, 3, "fma", "a * b + c, rounded once"},
    {Sqrt, Numbers, kCallable, 1, "sqrt", "square root, rounded once; NaN below 0"},
    {Abs, Numbers, kCallable, 1, "abs", "absolute value, exact"},
    {Min, Numbers, kCallable, 2, "min", "the smaller; NaN if either is NaN; -0 is below +0"},
    {Max, Numbers, kCallable, 2, "max", "the larger; NaN if either is NaN; -0 is below +0"},
    {Sign, Numbers, kCallable, 1, "sign", "-1 or 1; zeros and NaN stay what they are"},
    {Floor, Numbers, kCallable, 1, "floor", "the nearest integer not above, exact"},
    {Ceil, Numbers, kCallable, 1, "ceil", "the nearest integer not below, exact"},
    {Round, Numbers, kCallable, 1, "round", "the nearest integer, a tie to the even one, exact"},
    {Trunc, Numbers, kCallable, 1, "trunc", "the nearest integer towards 0, exact"},
    {Mod, Numbers, kSymbol, 2, "mod", "remainder with the sign of the divisor"},
    {Rsqrt, Numbers, kCallable, 1, "rsqrt", "1 / sqrt(x), within 1 ulp"},
    {Exp, Numbers, kCallable, 1, "exp", "e to the power x, within 1 ulp"},
    {Expm1, Numbers, kCallable, 1, "expm1", "exp(x) - 1, accurate near 0, within 1 ulp"},
    {Log, Numbers, kCallable, 1, "log", "natural logarithm, within 1 ulp; NaN below 0"},
    {Log1p, Numbers, kCallable, 1, "log1p", "log(1 + x), accurate near 0, within 1 ulp"},
    {Log2, Numbers, kCallable, 1, "log2", "logarithm to base 2, within 1 ulp; NaN below 0"},
    {Pow, Numbers, kCallable, 2, "pow", "x to the power y, within 1 ulp; pow(x, 0) is 1"},
    {Sin, Numbers, kCallable, 1, "sin", "sine of x in radians, any finite x, within 1 ulp"},
    {Cos, Numbers, kCallable, 1, "cos", "cosine of x in radians, any finite x, within 1 ulp"},
    {Tan, Numbers, kCallable, 1, "tan", "tangent of x in radians, any finite x, within 1 ulp"},
    {Tanh, Numbers, kCallable, 1, "tanh", "hyperbolic tangent, within 1 ulp"},
    {Atan, Numbers, kCallable, 1, "atan", "inverse tangent in radians, within 1 ulp"},
    {Lt, Comparison, kSymbol, 2, "lt", "a < b; false with NaN"},
    {Le, Comparison, kSymbol, 2, "le", "a <= b; false with NaN"},
    {Gt, Comparison, kSymbol, 2, "gt", "a > b; false with NaN"},
    {Ge, Comparison, kSymbol, 2, "ge", "a >= b; false with NaN"},
    {Eq, Comparison, kSymbol, 2, "eq", "a == b; false with NaN"},
    {Ne, Comparison, kSymbol, 2, "ne", "a != b; true with NaN"},
    {And, Logic, kSymbol, 2, "and", "both hold"},
    {Or, Logic, kSymbol, 2, "or", "at least one holds"},
    {Not, Logic, kSymbol, 1, "not", "does not hold"},
    {Select, Choice, kSymbol, 3, "select",
     "the second operand where the first holds, else the third"},
    {IsFinite, Predicate, kCallable, 1, "is_finite", "true unless x is infinite or NaN"},
};

constexpr bool rows_follow_the_enumeration() {
  for (int i = 0; i < kOpCount; ++i)
    if (static_cast<int>(kTable[i].op) != i) return false;
  return true;
}
static_assert(std::size(kTable) == kOpCount && rows_follow_the_enumeration());

}  // namespace

const OpInfo& info(Op op) { return kTable[static_cast<std::size_t>(op)]; }

const std::vector<OpInfo>& op_table() {
  static const std::vector<OpInfo> table(std::begin(kTable), std::end(kTable));
  return table;
}

std::optional<Op> op_from_name(std::string_view name) {
  const auto* row = std::ranges::find(kTable, name, &OpInfo::name);
  if (row == std::end(kTable)) return std::nullopt;
  return row->op;
}

std::optional<Op> function_from_name(std::string_view name) {
  const std::optional<Op> op = op_from_name(name);
  if (!op || !info(*op).callable) return std::nullopt;
  return op;
}

}  // namespace talweg::builtins
