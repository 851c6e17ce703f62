#include <array>
#include <charconv>

#include "compiler/base/check.h"
#include "compiler/syntax/tree_builder.h"

namespace talweg::syntax {

using base::DiagnosticKind;
using Expression = TalwegParser::ExpressionContext;

namespace {

/// The operator of a binary expression, or nothing for an expression of another form.
antlr4::Token* binary_operator(Expression* context) {
  if (context->children.size() != 3 || context->expression().size() != 2) return nullptr;
  auto* node = dynamic_cast<antlr4::tree::TerminalNode*>(context->children[1]);
  return node == nullptr ? nullptr : node->getSymbol();
}

BinaryOp binary_op(std::size_t type) {
  constexpr std::array<std::pair<std::size_t, BinaryOp>, 15> kOps = {{
      {TalwegParser::PLUS, BinaryOp::Add},
      {TalwegParser::MINUS, BinaryOp::Sub},
      {TalwegParser::STAR, BinaryOp::Mul},
      {TalwegParser::SLASH, BinaryOp::Div},
      {TalwegParser::PERCENT, BinaryOp::Mod},
      {TalwegParser::CARET, BinaryOp::Pow},
      {TalwegParser::AT, BinaryOp::MatMul},
      {TalwegParser::LT, BinaryOp::Lt},
      {TalwegParser::LE, BinaryOp::Le},
      {TalwegParser::GT, BinaryOp::Gt},
      {TalwegParser::GE, BinaryOp::Ge},
      {TalwegParser::EQ, BinaryOp::Eq},
      {TalwegParser::NE, BinaryOp::Ne},
      {TalwegParser::AND, BinaryOp::And},
      {TalwegParser::OR, BinaryOp::Or},
  }};
  for (const auto& [token, op] : kOps)
    if (token == type) return op;
  TALWEG_UNREACHABLE("a token that is no operator between two values");
}

bool compares(BinaryOp op) { return op >= BinaryOp::Lt && op <= BinaryOp::Ne; }

}  // namespace

ExprId TreeBuilder::expression(Expression* context) {
  if (context == nullptr || context->exception || context->children.empty())
    return error(span(context));
  if (TalwegParser::PrimaryContext* inner = context->primary()) return primary(inner);
  if (binary_operator(context) != nullptr) return binary_chain(context);
  if (context->IF_THEN() != nullptr) return if_expression(context);
  if (context->PER() != nullptr) return per_chain(context);
  if (context->expression().size() == 1) return prefix(context);
  return error(span(context));
}

/// `a per row per model` leans left too.
ExprId TreeBuilder::per_chain(Expression* context) {
  std::vector<Expression*> chain;
  Expression* operand = context;
  for (; operand != nullptr && !operand->exception && operand->PER() != nullptr;
       operand = operand->expression(0))
    chain.push_back(operand);
  ExprId result = expression(operand);
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    const auto rate = name((*it)->word());
    if (!rate) return error(span(context));
    result = add(span(*it), PerExpr{result, *rate}, {result});
  }
  return result;
}

ExprId TreeBuilder::prefix(Expression* context) {
  const UnaryOp op = context->MINUS() != nullptr ? UnaryOp::Neg : UnaryOp::Not;
  const ExprId operand = expression(context->expression(0));
  return add(span(context), UnaryExpr{op, operand}, {operand});
}

/// A chain `a + b + c` leans left, one context within the other: walked here without recursion,
/// since its length is bounded only by the number of tokens.
ExprId TreeBuilder::binary_chain(Expression* context) {
  std::vector<Expression*> chain;
  Expression* left = context;
  for (; left != nullptr && !left->exception && binary_operator(left) != nullptr;
       left = left->expression(0))
    chain.push_back(left);
  ExprId result = expression(left);
  BinaryExpr before{};
  bool before_is_bare = false;  // the left operand is a comparison without parentheses
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    antlr4::Token* token = binary_operator(*it);
    const BinaryOp op = binary_op(token->getType());
    if (before_is_bare && compares(op)) check_chain(before, token);
    const ExprId right = expression((*it)->expression(1));
    before = {op, result, right};
    before_is_bare = compares(op);
    result = add(span(*it), before, {result, right});
  }
  return result;
}

void TreeBuilder::check_chain(const BinaryExpr& comparison, antlr4::Token* second) {
  const std::string_view middle = input_.sources.text(module_[comparison.right].span);
  auto built = input_.diagnostics.report(DiagnosticKind::ChainedComparison, span(second));
  constexpr std::size_t kMostBytes = 30;
  if (middle.size() <= kMostBytes && !middle.empty())
    built.help(fmt::format("join two comparisons: `... {0} and {0} {1} ...`", middle,
                           input_.sources.text(span(second))));
  else
    built.help("join two comparisons with `and`");
}

ExprId TreeBuilder::if_expression(Expression* context) {
  const ExprId condition = expression(context->expression(0));
  const ExprId then_value = arm(context->arm(0));
  const ExprId else_value = arm(context->arm(1));
  return add(span(context), IfExpr{condition, then_value, else_value},
             {condition, then_value, else_value});
}

ExprId TreeBuilder::arm(TalwegParser::ArmContext* context) {
  if (context == nullptr || context->exception) return error(span(context));
  if (context->block() != nullptr) return value_block(context->block());
  return expression(context->expression());
}

ExprId TreeBuilder::primary(TalwegParser::PrimaryContext* context) {
  const Span place = span(context);
  if (context->exception || context->children.empty()) return error(place);
  if (context->NUMBER() != nullptr) return number(context->start);
  if (context->TRUE() != nullptr) return add(place, BoolLit{true});
  if (context->FALSE() != nullptr) return add(place, BoolLit{false});
  if (context->TEXT() != nullptr) {
    std::string_view text = input_.sources.text(place);
    text.remove_prefix(1);
    if (text.ends_with('"')) text.remove_suffix(1);
    return add(place, TextLit{std::string(text)});
  }
  if (context->path() != nullptr) {
    if (context->path()->exception) return error(place);
    if (context->arguments() == nullptr) return add(place, NameExpr{path(context->path())});
    CallExpr call{path(context->path()), arguments(context->arguments())};
    int depth = 0;
    for (const Argument& argument : call.arguments)
      depth = std::max(depth, expr_depths_[argument.value.index]);
    return add_with_depth(place, std::move(call), depth + 1);
  }
  if (context->LPAREN() != nullptr) return expression(context->expression(0));
  ListExpr list;
  int depth = 0;
  for (Expression* item : context->expression()) {
    list.items.push_back(expression(item));
    depth = std::max(depth, expr_depths_[list.items.back().index]);
  }
  return add_with_depth(place, std::move(list), depth + 1);
}

ExprId TreeBuilder::number(antlr4::Token* token) {
  const Span place = span(token);
  const std::string text(input_.sources.text(place));
  std::string digits;
  for (const char c : text)
    if (c != '_') digits += c;
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) {
    const std::string mantissa = digits.substr(0, digits.find_first_of("eE"));
    const bool too_small = digits.find_first_of("eE") != std::string::npos &&
                           digits[digits.find_first_of("eE") + 1] == '-';
    input_.diagnostics
        .report(DiagnosticKind::NumberOutOfRange, place, text, too_small ? "small" : "large")
        .help(too_small
                  ? "the smallest positive number is about 4.9e-324; write `0` if that is meant"
                  : "the largest number is about 1.8e308; write `inf` if that is meant");
    return error(place);
  }
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return error(place);
  return add(place, NumberLit{value, text});
}

std::vector<Argument> TreeBuilder::arguments(TalwegParser::ArgumentsContext* context) {
  std::vector<Argument> result;
  if (context == nullptr) return result;
  for (TalwegParser::ArgumentContext* argument : context->argument())
    result.push_back({name(argument->NAME()), expression(argument->expression())});
  return result;
}

}  // namespace talweg::syntax
