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
    {Add, "add", 2, Numbers, kSymbol, "sum, rounded once"},
    {Sub, "sub", 2, Numbers, kSymbol, "difference, rounded once"},
    {Mul, "mul", 2, Numbers, kSymbol, "product, rounded once"},
    {Div, "div", 2, Numbers, kSymbol, "quotient, rounded once"},
    {Neg, "neg", 1, Numbers, kSymbol, "the number with the other sign, exact"},
    {Fma, "fma", 3, Numbers, kSymbol, "a * b + c, rounded once"},
    {Sqrt, "sqrt", 1, Numbers, kCallable, "square root, rounded once; NaN below 0"},
    {Abs, "abs", 1, Numbers, kCallable, "absolute value, exact"},
    {Min, "min", 2, Numbers, kCallable, "the smaller; NaN if either is NaN; -0 is below +0"},
    {Max, "max", 2, Numbers, kCallable, "the larger; NaN if either is NaN; -0 is below +0"},
    {Sign, "sign", 1, Numbers, kCallable, "-1 or 1; zeros and NaN stay what they are"},
    {Floor, "floor", 1, Numbers, kCallable, "the nearest integer not above, exact"},
    {Ceil, "ceil", 1, Numbers, kCallable, "the nearest integer not below, exact"},
    {Round, "round", 1, Numbers, kCallable, "the nearest integer, a tie to the even one, exact"},
    {Trunc, "trunc", 1, Numbers, kCallable, "the nearest integer towards 0, exact"},
    {Mod, "mod", 2, Numbers, kSymbol, "remainder with the sign of the divisor"},
    {Rsqrt, "rsqrt", 1, Numbers, kCallable, "1 / sqrt(x), within 1 ulp"},
    {Exp, "exp", 1, Numbers, kCallable, "e to the power x, within 1 ulp"},
    {Expm1, "expm1", 1, Numbers, kCallable, "exp(x) - 1, accurate near 0, within 1 ulp"},
    {Log, "log", 1, Numbers, kCallable, "natural logarithm, within 1 ulp; NaN below 0"},
    {Log1p, "log1p", 1, Numbers, kCallable, "log(1 + x), accurate near 0, within 1 ulp"},
    {Log2, "log2", 1, Numbers, kCallable, "logarithm to base 2, within 1 ulp; NaN below 0"},
    {Pow, "pow", 2, Numbers, kCallable, "x to the power y, within 1 ulp; pow(x, 0) is 1"},
    {Sin, "sin", 1, Numbers, kCallable, "sine of x in radians, any finite x, within 1 ulp"},
    {Cos, "cos", 1, Numbers, kCallable, "cosine of x in radians, any finite x, within 1 ulp"},
    {Tan, "tan", 1, Numbers, kCallable, "tangent of x in radians, any finite x, within 1 ulp"},
    {Tanh, "tanh", 1, Numbers, kCallable, "hyperbolic tangent, within 1 ulp"},
    {Atan, "atan", 1, Numbers, kCallable, "inverse tangent in radians, within 1 ulp"},
    {Lt, "lt", 2, Comparison, kSymbol, "a < b; false with NaN"},
    {Le, "le", 2, Comparison, kSymbol, "a <= b; false with NaN"},
    {Gt, "gt", 2, Comparison, kSymbol, "a > b; false with NaN"},
    {Ge, "ge", 2, Comparison, kSymbol, "a >= b; false with NaN"},
    {Eq, "eq", 2, Comparison, kSymbol, "a == b; false with NaN"},
    {Ne, "ne", 2, Comparison, kSymbol, "a != b; true with NaN"},
    {And, "and", 2, Logic, kSymbol, "both hold"},
    {Or, "or", 2, Logic, kSymbol, "at least one holds"},
    {Not, "not", 1, Logic, kSymbol, "does not hold"},
    {Select, "select", 3, Choice, kSymbol,
     "the second operand where the first holds, else the third"},
    {IsFinite, "is_finite", 1, Predicate, kCallable, "true unless x is infinite or NaN"},
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
