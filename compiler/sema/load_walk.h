// A walk over what expressions and statements read, in the order of evaluation.
#pragma once

#include <optional>
#include <vector>

#include "compiler/sema/typed_rule.h"

namespace talweg::sema {

/// Calls `visit` for every expression that loads a symbol, and for every reduction, without a
/// symbol.
template <class Visit>
class LoadWalk {
 public:
  LoadWalk(const TypedRule& rule, Visit visit) : rule_(rule), visit_(visit) {}

  void walk(TypedExprId id) {
    const TypedExpr& expr = rule_[id];
    if (const auto* load = std::get_if<LoadNode>(&expr.node)) {
      visit_(expr, std::optional(load->symbol));
    } else if (const auto* reduce = std::get_if<ReduceNode>(&expr.node)) {
      visit_(expr, std::nullopt);
      for (const TypedExprId operand : reduce->operands) walk(operand);
    } else if (const auto* apply = std::get_if<ApplyNode>(&expr.node)) {
      for (const TypedExprId operand : apply->operands) walk(operand);
    } else if (const auto* choose = std::get_if<ChooseNode>(&expr.node)) {
      for (const TypedExprId part : {choose->condition, choose->then_value, choose->else_value})
        walk(part);
    } else if (const auto* block = std::get_if<BlockNode>(&expr.node)) {
      walk(block->statements);
      walk(block->value);
    }
  }

  void walk(const std::vector<TypedStmt>& statements) {
    for (const TypedStmt& statement : statements) walk(statement);
  }

  void walk(const TypedStmt& statement) {
    if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
      walk(assign->value);
    } else if (const auto* branch = std::get_if<TypedIf>(&statement.node)) {
      walk(branch->condition);
      walk(branch->then_body);
      walk(branch->else_body);
    } else if (const auto* exit = std::get_if<TypedExit>(&statement.node)) {
      walk(exit->condition);
    }
  }

 private:
  const TypedRule& rule_;
  Visit visit_;
};

}  // namespace talweg::sema
