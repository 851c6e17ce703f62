#include <array>

#include "compiler/syntax/printer.h"

namespace talweg::syntax {

namespace {

struct Precedence {
  int own;    // of the operator; higher is tighter
  int left;   // what the left operand needs to stand without parentheses
  int right;  // likewise
};

constexpr int kIf = 0, kNot = 3, kNeg = 7, kPer = 9, kPrimary = 10;

constexpr Precedence precedence(BinaryOp op) {
  switch (op) {
    case BinaryOp::Or:
      return {1, 1, 2};
    case BinaryOp::And:
      return {2, 2, 3};
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge:
    case BinaryOp::Eq:
    case BinaryOp::Ne:
      return {4, 5, 5};
    case BinaryOp::Add:
    case BinaryOp::Sub:
      return {5, 5, 6};
    case BinaryOp::Mul:
    case BinaryOp::Div:
    case BinaryOp::Mod:
    case BinaryOp::MatMul:
      return {6, 6, 7};
    case BinaryOp::Pow:
      return {8, 9, 7};  // the exponent may have a sign
  }
  return {};
}

constexpr std::array<std::string_view, 15> kOperators = {
    "+", "-", "*", "/", "%", "^", "@", "<", "<=", ">", ">=", "==", "!=", "and", "or"};

int precedence_of(const Expr& expr) {
  if (const auto* binary = std::get_if<BinaryExpr>(&expr.node)) return precedence(binary->op).own;
  if (const auto* unary = std::get_if<UnaryExpr>(&expr.node))
    return unary->op == UnaryOp::Neg ? kNeg : kNot;
  if (std::holds_alternative<PerExpr>(expr.node)) return kPer;
  if (std::holds_alternative<IfExpr>(expr.node)) return kIf;
  return kPrimary;
}

}  // namespace

void Printer::expression(ExprId id, int least) {
  const Expr& expr = module_[id];
  const bool parenthesis = precedence_of(expr) < least;
  if (parenthesis) text("(");
  node(expr);
  if (parenthesis) text(")");
}

void Printer::node(const Expr& expr) {
  if (const auto* number = std::get_if<NumberLit>(&expr.node)) return text(number->text);
  if (const auto* truth = std::get_if<BoolLit>(&expr.node))
    return text(truth->value ? "true" : "false");
  if (const auto* literal = std::get_if<TextLit>(&expr.node))
    return text('"' + literal->value + '"');
  if (const auto* named = std::get_if<NameExpr>(&expr.node)) return text(named->path.text());
  if (const auto* call = std::get_if<CallExpr>(&expr.node)) {
    text(call->callee.text());
    return arguments(call->arguments);
  }
  if (const auto* block = std::get_if<BlockExpr>(&expr.node)) return block_value(*block);
  if (const auto* items = std::get_if<ListExpr>(&expr.node)) {
    text("[");
    list(items->items);
    return text("]");
  }
  if (std::holds_alternative<ErrorExpr>(expr.node)) return text("<error>");
  operator_expression(expr);
}

void Printer::operator_expression(const Expr& expr) {
  if (const auto* binary = std::get_if<BinaryExpr>(&expr.node)) {
    const Precedence around = precedence(binary->op);
    const std::string_view sign = kOperators[static_cast<std::size_t>(binary->op)];
    expression(binary->left, around.left);
    text(binary->op == BinaryOp::Pow ? std::string(sign) : " " + std::string(sign) + " ");
    expression(binary->right, around.right);
  } else if (const auto* unary = std::get_if<UnaryExpr>(&expr.node)) {
    text(unary->op == UnaryOp::Neg ? "-" : "not ");
    expression(unary->operand, precedence_of(expr));
  } else if (const auto* per = std::get_if<PerExpr>(&expr.node)) {
    expression(per->operand, kPer);
    text(" per " + per->rate.text);
  } else if (const auto* choice = std::get_if<IfExpr>(&expr.node)) {
    text("if ");
    expression(choice->condition, kIf + 1);
    text(" then ");
    expression(choice->then_value, kIf + 1);
    text(" else ");
    expression(choice->else_value);
  }
}

void Printer::block_value(const BlockExpr& block) {
  text("{");
  ++indent_;
  statements(block.statements);
  line();
  expression(block.value);
  --indent_;
  line();
  text("}");
}

void Printer::arguments(const std::vector<Argument>& arguments) {
  text("(");
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) text(", ");
    if (arguments[i].name) text(arguments[i].name->text + " = ");
    expression(arguments[i].value);
  }
  text(")");
}

void Printer::list(const std::vector<ExprId>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text(", ");
    expression(items[i]);
  }
}

}  // namespace talweg::syntax
