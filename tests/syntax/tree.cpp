#include <array>

#include "tests/syntax/parsing.h"

namespace talweg::test {

namespace {

using namespace syntax;

std::string show(const Module& module, ExprId id) {
  constexpr std::array kSigns = {"+",  "-", "*",  "/",  "%",  "^",   "@", "<",
                                 "<=", ">", ">=", "==", "!=", "and", "or"};
  const Expr& expr = module[id];
  if (const auto* node = std::get_if<NumberLit>(&expr.node)) return node->text;
  if (const auto* node = std::get_if<BoolLit>(&expr.node)) return node->value ? "true" : "false";
  if (const auto* node = std::get_if<TextLit>(&expr.node)) return '"' + node->value + '"';
  if (const auto* node = std::get_if<NameExpr>(&expr.node)) return node->path.text();
  if (const auto* node = std::get_if<UnaryExpr>(&expr.node))
    return (node->op == UnaryOp::Neg ? "(- " : "(not ") + show(module, node->operand) + ")";
  if (const auto* node = std::get_if<BinaryExpr>(&expr.node))
    return std::string("(") + kSigns.at(static_cast<std::size_t>(node->op)) + " " +
           show(module, node->left) + " " + show(module, node->right) + ")";
  if (const auto* node = std::get_if<PerExpr>(&expr.node))
    return "(per " + node->rate.text + " " + show(module, node->operand) + ")";
  if (const auto* node = std::get_if<IfExpr>(&expr.node))
    return "(if " + show(module, node->condition) + " " + show(module, node->then_value) + " " +
           show(module, node->else_value) + ")";
  if (const auto* node = std::get_if<BlockExpr>(&expr.node))
    return "{" + std::to_string(node->statements.size()) + " " + show(module, node->value) + "}";
  std::string items;
  if (const auto* node = std::get_if<CallExpr>(&expr.node)) {
    for (const Argument& argument : node->arguments)
      items += " " + (argument.name ? argument.name->text + ":" : std::string()) +
               show(module, argument.value);
    return "(call " + node->callee.text() + items + ")";
  }
  if (const auto* node = std::get_if<ListExpr>(&expr.node)) {
    for (const ExprId item : node->items) items += " " + show(module, item);
    return "[" + items + " ]";
  }
  return "<error>";
}

}  // namespace

std::string tree(const std::string& expression) {
  const Parsed parsed = parse("let x = " + expression);
  if (parsed.diagnostics.has_errors()) return parsed.messages();
  return show(parsed.module, parsed.declaration<ConstDecl>(0).value);
}

}  // namespace talweg::test
