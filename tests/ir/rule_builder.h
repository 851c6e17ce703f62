// Typed rules written in C++: what sema would make of a few lines of text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "compiler/sema/typed_rule.h"

namespace talweg::tests {

using builtins::Op;
using sema::Symbol;
using sema::SymbolKind;
using sema::TypedExprId;
using sema::TypedStmt;
using types::Rate;

/// Rates of expressions are left const: the graph takes rates from its leaves.
class RuleBuilder {
 public:
  RuleBuilder() {
    rule.name = "test";
    rule.stages.emplace_back();
  }

  sema::TypedRule rule;

  // ---- Declarations ----

  TypedExprId hyper(const std::string& name, Rate rate = Rate::Group,
                    sema::HyperKind kind = sema::HyperKind::Number, double value = 0) {
    sema::TypedHyper& hyper = rule.hypers.emplace_back();
    hyper.name = hyper.public_name = name;
    hyper.kind = kind;
    hyper.rate = rate;
    hyper.default_value = value;
    return load(SymbolKind::Hyper, rule.hypers.size() - 1);
  }
  Symbol state(const std::string& name, Rate rate = Rate::Element) {
    sema::TypedState& state = rule.states.emplace_back();
    state.name = state.public_name = name;
    state.rate = rate;
    return {SymbolKind::State, static_cast<std::uint32_t>(rule.states.size() - 1)};
  }
  TypedExprId input(const std::string& name, Rate rate) {
    sema::TypedInput& input = rule.inputs.emplace_back();
    input.name = input.public_name = name;
    input.rate = rate;
    return load(SymbolKind::Input, rule.inputs.size() - 1);
  }
  Symbol local(const std::string& name) {
    rule.locals.emplace_back().name = name;
    return {SymbolKind::Local, static_cast<std::uint32_t>(rule.locals.size() - 1)};
  }

  // ---- Expressions ----

  TypedExprId add(sema::TypedExpr expression) {
    rule.exprs.push_back(std::move(expression));
    return TypedExprId(static_cast<std::uint32_t>(rule.exprs.size() - 1));
  }
  TypedExprId number(double value) {
    return add({.type = {}, .span = {}, .node = sema::ConstantNode{value}});
  }
  TypedExprId truth(bool value) {
    return add({.type = {.kind = sema::Kind::Bool},
                .span = {},
                .node = sema::ConstantNode{value ? 1.0 : 0.0}});
  }
  TypedExprId load(Symbol symbol) {
    return add({.type = {}, .span = {}, .node = sema::LoadNode{symbol}});
  }
  TypedExprId load(SymbolKind kind, std::size_t index = 0) {
    return load(Symbol{kind, static_cast<std::uint32_t>(index)});
  }
  TypedExprId param() { return load(SymbolKind::Param); }
  TypedExprId grad() { return load(SymbolKind::Grad); }
  TypedExprId t() { return load(SymbolKind::T); }
  TypedExprId apply(Op op, std::vector<TypedExprId> operands) {
    return add({.type = {}, .span = {}, .node = sema::ApplyNode{op, std::move(operands)}});
  }
  TypedExprId choose(TypedExprId condition, TypedExprId then_value, TypedExprId else_value) {
    return add(
        {.type = {}, .span = {}, .node = sema::ChooseNode{condition, then_value, else_value}});
  }
  TypedExprId block(std::vector<TypedStmt> statements, TypedExprId value) {
    return add({.type = {}, .span = {}, .node = sema::BlockNode{std::move(statements), value}});
  }

  // ---- Statements ----

  static TypedStmt set(Symbol target, TypedExprId value) {
    return {.span = {}, .node = sema::TypedAssign{target, value}};
  }
  static TypedStmt set(SymbolKind target, TypedExprId value) {
    return set(Symbol{target, 0}, value);
  }
  static TypedStmt if_(TypedExprId condition, std::vector<TypedStmt> then_body,
                       std::vector<TypedStmt> else_body = {}) {
    return {.span = {},
            .node = sema::TypedIf{condition, std::move(then_body), std::move(else_body)}};
  }
  /// Adds to the step of the last stage.
  RuleBuilder& step(TypedStmt statement) {
    rule.stages.back().step.push_back(std::move(statement));
    return *this;
  }
};

}  // namespace talweg::tests
