#include "compiler/syntax/tree_builder.h"

namespace talweg::syntax {

using base::DiagnosticKind;

namespace {

/// The value of an item that is only a value, and may so be the value of its block.
TalwegParser::ExpressionContext* lone_value(TalwegParser::ItemContext* item) {
  auto* value = dynamic_cast<TalwegParser::ValueItemContext*>(item);
  if (value == nullptr || value->exception || value->expression().size() != 1 ||
      value->children.size() != 1)
    return nullptr;
  return value->expression(0);
}

/// True for `regard`, `Regrad()`.
bool is_misspelt_regrad(const Expr& value) {
  const Path* path = nullptr;
  if (const auto* named = std::get_if<NameExpr>(&value.node)) path = &named->path;
  if (const auto* call = std::get_if<CallExpr>(&value.node)) path = &call->callee;
  return path != nullptr && path->parts.size() == 1 &&
         !base::nearest_name(path->parts.front().text, {"regrad"}).empty();
}

std::optional<AssignOp> assign_op(TalwegParser::ValueItemContext* context) {
  if (context->ASSIGN() != nullptr) return AssignOp::Set;
  if (context->PLUS_ASSIGN() != nullptr) return AssignOp::Add;
  if (context->MINUS_ASSIGN() != nullptr) return AssignOp::Sub;
  if (context->STAR_ASSIGN() != nullptr) return AssignOp::Mul;
  if (context->SLASH_ASSIGN() != nullptr) return AssignOp::Div;
  return std::nullopt;
}

}  // namespace

std::vector<StmtId> TreeBuilder::body(TalwegParser::BlockContext* context) {
  std::vector<StmtId> result;
  if (context == nullptr) return result;
  for (TalwegParser::ItemContext* item : context->item())
    if (const auto stmt = statement(item)) result.push_back(*stmt);
  return result;
}

ExprId TreeBuilder::value_block(TalwegParser::BlockContext* context) {
  const Span place = span(context);
  const std::vector<TalwegParser::ItemContext*> items = context->item();
  BlockExpr block;
  for (std::size_t i = 0; i + 1 < items.size(); ++i)
    if (const auto stmt = statement(items[i])) block.statements.push_back(*stmt);
  if (items.empty() || lone_value(items.back()) == nullptr) {
    const bool failed = context->exception || (!items.empty() && reported(items.back()));
    if (!failed) {
      const Span end{input_.id, place.end > place.begin ? place.end - 1 : place.begin, place.end};
      input_.diagnostics.report(DiagnosticKind::MissingValue, end)
          .help("end the block with its value on a line of its own");
    }
    if (!items.empty())
      if (const auto stmt = statement(items.back())) block.statements.push_back(*stmt);
    block.value = error(place);
  } else {
    block.value = expression(lone_value(items.back()));
  }
  const int depth = std::max(depth_of(block.statements), expr_depths_[block.value.index]);
  return add_with_depth(place, std::move(block), depth + 1);
}

std::optional<StmtId> TreeBuilder::statement(TalwegParser::ItemContext* context) {
  if (auto* let = dynamic_cast<TalwegParser::LetItemContext*>(context)) return let_stmt(let);
  if (auto* branch = dynamic_cast<TalwegParser::IfItemContext*>(context)) return if_stmt(branch);
  if (auto* loop = dynamic_cast<TalwegParser::ForItemContext*>(context)) return for_stmt(loop);
  if (auto* stop = dynamic_cast<TalwegParser::StopItemContext*>(context)) return stop_stmt(stop);
  if (dynamic_cast<TalwegParser::RegradItemContext*>(context) != nullptr)
    return add_stmt(span(context), RegradStmt{}, {});
  if (auto* value = dynamic_cast<TalwegParser::ValueItemContext*>(context)) {
    if (lone_value(context) == nullptr) return assign_stmt(value);
    unused_value(value->expression(0));
  }
  return std::nullopt;
}

std::optional<StmtId> TreeBuilder::let_stmt(TalwegParser::LetItemContext* context) {
  const auto declared = name(context->NAME());
  if (!declared) return std::nullopt;
  const ExprId value = expression(context->expression());
  return add_stmt(span(context), LetStmt{*declared, value, context->VAR() != nullptr}, {value});
}

std::optional<StmtId> TreeBuilder::assign_stmt(TalwegParser::ValueItemContext* context) {
  const auto op = assign_op(context);
  if (!op || context->expression().empty()) return std::nullopt;
  const ExprId target = expression(context->expression(0));
  const ExprId value = expression(context->expression(1));
  const auto* named = std::get_if<NameExpr>(&module_[target].node);
  if (named == nullptr) {
    if (!std::holds_alternative<ErrorExpr>(module_[target].node))
      input_.diagnostics.report(DiagnosticKind::TargetNotAName, module_[target].span);
    return std::nullopt;
  }
  return add_stmt(span(context), AssignStmt{named->path, *op, value}, {value});
}

std::optional<StmtId> TreeBuilder::for_stmt(TalwegParser::ForItemContext* context) {
  const auto variable = name(context->NAME());
  if (!variable) return std::nullopt;
  ForStmt loop{*variable, expression(context->expression(0)), std::nullopt, {}};
  if (context->DOTDOT() != nullptr) loop.last = expression(context->expression(1));
  loop.body = body(context->block());
  const ExprId last = loop.last.value_or(loop.first);
  const StmtId id = add_stmt(span(context), loop, {loop.first, last}, {&loop.body});
  return id;
}

std::optional<StmtId> TreeBuilder::stop_stmt(TalwegParser::StopItemContext* context) {
  const ExprId condition = expression(context->expression());
  if (context->HOLD() != nullptr) return add_stmt(span(context), HoldStmt{condition}, {condition});
  return add_stmt(span(context), SkipStmt{condition}, {condition});
}

StmtId TreeBuilder::if_stmt(TalwegParser::IfItemContext* context) {
  IfStmt branch{expression(context->expression()), body(context->block(0)), {}};
  if (context->elseIf() != nullptr)
    branch.else_body.push_back(else_if(context->elseIf()));
  else
    branch.else_body = body(context->block(1));
  return add_stmt(span(context), branch, {branch.condition},
                  {&branch.then_body, &branch.else_body});
}

StmtId TreeBuilder::else_if(TalwegParser::ElseIfContext* context) {
  IfStmt branch{expression(context->expression()), body(context->block(0)), {}};
  if (context->elseIf() != nullptr)
    branch.else_body.push_back(else_if(context->elseIf()));
  else
    branch.else_body = body(context->block(1));
  return add_stmt(span(context), branch, {branch.condition},
                  {&branch.then_body, &branch.else_body});
}

void TreeBuilder::unused_value(TalwegParser::ExpressionContext* context) {
  const ExprId value = expression(context);
  if (std::holds_alternative<ErrorExpr>(module_[value].node) || reported(context)) return;
  auto built = input_.diagnostics.report(DiagnosticKind::ValueNotUsed, span(context));
  const auto* negated = std::get_if<UnaryExpr>(&module_[value].node);
  const auto* compared = std::get_if<BinaryExpr>(&module_[value].node);
  if (is_misspelt_regrad(module_[value]))
    built.help("did you mean `regrad`?");
  else if (negated != nullptr && negated->op == UnaryOp::Neg)
    built.help("to go on with the line above, end that line with the `-`, or use parentheses");
  else if (compared != nullptr && compared->op == BinaryOp::Eq)
    built.help("to assign, write `=`");
  else
    built.help("assign it to a name, or name it with `let`");
}

}  // namespace talweg::syntax
