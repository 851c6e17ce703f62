// The typed rule while it is being made: expressions are appended, and what turns out not to be
// needed (the arm that a constant condition does not take) is cut off again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/sema/typed_rule.h"
#include "compiler/sema/value.h"

namespace talweg::sema {

class RuleBuilder {
 public:
  TypedRule rule;
  std::vector<bool> state_is_kept;  // by state: mentioned by code that is kept
  std::vector<bool> input_is_kept;

  /// Appends an expression. `constant` is given exactly where the rate is Const.
  Value emit(Type type, Span span, decltype(TypedExpr::node) node, std::optional<double> constant);
  /// A number or bool known now.
  Value constant(Kind kind, double value, Span span);
  /// `named`: the one value that it will ever have, where it has one.
  std::uint32_t add_local(std::string name, Span span, std::optional<TypedExprId> named = {});
  [[nodiscard]] std::optional<TypedExprId> named_value(std::uint32_t local) const {
    return named_values_[local];
  }

  /// The value of an expression of rate Const.
  [[nodiscard]] double constant_of(TypedExprId id) const { return notes_[id.index].constant; }
  /// How many expressions lie within each other, counting this one.
  [[nodiscard]] std::uint32_t depth_of(TypedExprId id) const { return notes_[id.index].depth; }

  struct Mark {
    std::size_t exprs = 0;
    std::size_t locals = 0;
  };
  [[nodiscard]] Mark mark() const { return {rule.exprs.size(), rule.locals.size()}; }
  /// Forgets everything appended since. Nothing that stays may refer to it.
  void cut(Mark mark);

 private:
  struct Note {
    double constant = 0;
    std::uint32_t depth = 1;
  };
  [[nodiscard]] std::uint32_t deepest(const decltype(TypedExpr::node)& node) const;
  [[nodiscard]] std::uint32_t deepest(const std::vector<TypedStmt>& statements) const;
  std::vector<Note> notes_;
  std::vector<std::optional<TypedExprId>> named_values_;  // by local
};

/// The name a symbol has within its rule: "lr", "grad", "given(loss)".
std::string symbol_name(const TypedRule& rule, Symbol symbol);

/// The value of an operation on constants, contracted as the graph contracts it: a product of
/// constants that is an operand of a sum is not rounded by itself.
double fold(const RuleBuilder& builder, builtins::Op op, const std::vector<TypedExprId>& operands);

/// The innermost operand that makes the value differ more often than `place` allows.
const TypedExpr& too_fast_operand(const TypedRule& rule, TypedExprId value, Rate place);
/// The same, but a truth value and a call stay whole: `grad > 1` and `f(grad)`, not `grad`.
const TypedExpr& too_fast_whole(const TypedRule& rule, TypedExprId value, Rate place);

/// Drops states and inputs that no kept code mentions, and numbers the rest anew.
void drop_unmentioned(RuleBuilder& builder);

/// Gives every hyper, state, input and view the name it has from outside: the plain one where it is
/// the only one, else "stage.name". Hypers and states share one space of names, inputs and views
/// have their own.
void set_public_names(TypedRule& rule);

}  // namespace talweg::sema
