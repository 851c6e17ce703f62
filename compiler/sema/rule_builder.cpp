// Appending expressions to a typed rule, and finding the operand to blame for a rate.
#include "compiler/sema/rule_builder.h"

#include <algorithm>

#include "compiler/base/check.h"

namespace talweg::sema {

Value RuleBuilder::emit(Type type, Span span, decltype(TypedExpr::node) node,
                        std::optional<double> constant) {
  TALWEG_CHECK((type.rate == Rate::Const) == constant.has_value(),
               "a constant expression without value, or a value that is not constant");
  const TypedExprId id(static_cast<std::uint32_t>(rule.exprs.size()));
  notes_.push_back({constant.value_or(0), 1 + deepest(node)});
  rule.exprs.push_back({type, span, std::move(node)});
  return {true, type, id, constant, nullptr, span};
}

Value RuleBuilder::constant(Kind kind, double value, Span span) {
  return emit({kind, Rate::Const}, span, ConstantNode{value}, value);
}

std::uint32_t RuleBuilder::add_local(std::string name, Span span,
                                     std::optional<TypedExprId> named) {
  rule.locals.push_back({std::move(name), span});
  named_values_.push_back(named);
  return static_cast<std::uint32_t>(rule.locals.size() - 1);
}

void RuleBuilder::cut(Mark mark) {
  const auto from = [](auto& list, std::size_t size) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(size), list.end());
  };
  from(rule.exprs, mark.exprs);
  from(notes_, mark.exprs);
  from(rule.locals, mark.locals);
  from(named_values_, mark.locals);
}

std::uint32_t RuleBuilder::deepest(const decltype(TypedExpr::node)& node) const {
  struct Visitor {
    const RuleBuilder& self;
    std::uint32_t operator()(const ConstantNode&) const { return 0; }
    std::uint32_t operator()(const LoadNode&) const { return 0; }
    std::uint32_t operator()(const ApplyNode& n) const { return of(n.operands); }
    std::uint32_t operator()(const ReduceNode& n) const { return of(n.operands); }
    [[nodiscard]] std::uint32_t of(const std::vector<TypedExprId>& operands) const {
      std::uint32_t depth = 0;
      for (const TypedExprId id : operands) depth = std::max(depth, self.depth_of(id));
      return depth;
    }
    std::uint32_t operator()(const ChooseNode& n) const {
      return std::max(
          {self.depth_of(n.condition), self.depth_of(n.then_value), self.depth_of(n.else_value)});
    }
    std::uint32_t operator()(const BlockNode& n) const {
      return std::max(self.depth_of(n.value), self.deepest(n.statements));
    }
  };
  return std::visit(Visitor{*this}, node);
}

std::uint32_t RuleBuilder::deepest(const std::vector<TypedStmt>& statements) const {
  std::uint32_t depth = 0;
  for (const TypedStmt& statement : statements) {
    if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
      depth = std::max(depth, depth_of(assign->value));
    } else if (const auto* branch = std::get_if<TypedIf>(&statement.node)) {
      depth = std::max({depth, depth_of(branch->condition), 1 + deepest(branch->then_body),
                        1 + deepest(branch->else_body)});
    } else if (const auto* exit = std::get_if<TypedExit>(&statement.node)) {
      depth = std::max(depth, depth_of(exit->condition));
    }
  }
  return depth;
}

std::string symbol_name(const TypedRule& rule, Symbol symbol) {
  switch (symbol.kind) {
    case SymbolKind::Param:
      return "param";
    case SymbolKind::Grad:
      return "grad";
    case SymbolKind::Update:
      return "update";
    case SymbolKind::T:
      return "t";
    case SymbolKind::Calls:
      return "calls";
    case SymbolKind::Hyper:
      return rule.hypers[symbol.index].name;
    case SymbolKind::State:
      return rule.states[symbol.index].name;
    case SymbolKind::Input:
      return rule.inputs[symbol.index].name;
    case SymbolKind::Given:
      return "given(" + rule.inputs[symbol.index].name + ")";
    case SymbolKind::Fact: {
      const types::Fact& fact = rule.facts[symbol.index];
      const std::string word = types::to_text(fact.kind);
      return types::is_truth(fact.kind) ? word + "(\"" + fact.text + "\")" : word;
    }
    case SymbolKind::Local:
      return rule.locals[symbol.index].name;
  }
  TALWEG_UNREACHABLE("a symbol of no kind");
}

namespace {

/// The operand of `expr` that differs more often than `place` allows, or nothing. What a reduction
/// makes of its operands is one value: they are not to blame.
std::optional<TypedExprId> too_fast_child(const TypedRule& rule, const TypedExpr& expr,
                                          Rate place) {
  std::vector<TypedExprId> children;
  if (const auto* apply = std::get_if<ApplyNode>(&expr.node)) children = apply->operands;
  if (const auto* choose = std::get_if<ChooseNode>(&expr.node))
    children = {choose->condition, choose->then_value, choose->else_value};
  if (const auto* block = std::get_if<BlockNode>(&expr.node)) children = {block->value};
  for (const TypedExprId child : children)
    if (!types::fits(rule[child].type.rate, place)) return child;
  return std::nullopt;
}

}  // namespace

const TypedExpr& too_fast_operand(const TypedRule& rule, TypedExprId value, Rate place) {
  while (const auto child = too_fast_child(rule, rule[value], place)) value = *child;
  return rule[value];
}

const TypedExpr& too_fast_whole(const TypedRule& rule, TypedExprId value, Rate place) {
  const auto is_whole = [](const TypedExpr& expr) {
    return expr.type.kind == Kind::Bool || std::holds_alternative<BlockNode>(expr.node);
  };
  while (!is_whole(rule[value])) {
    const auto child = too_fast_child(rule, rule[value], place);
    if (!child) break;
    value = *child;
  }
  return rule[value];
}

}  // namespace talweg::sema
