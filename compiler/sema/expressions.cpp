// Expressions: literals, operators, `if`, blocks and lists.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/sema/checker.h"

namespace talweg::sema {

using base::DiagnosticKind;
using builtins::Op;
using syntax::BinaryOp;

Value Checker::expression(syntax::ExprId id) {
  if (!id.valid()) return {};
  const syntax::Expr& expr = tree()[id];
  if (!spend(expr.span)) return unknown(expr.span);
  if (depth_ >= CheckLimits::kMaxDepth) {
    reporter_.report(DiagnosticKind::NestingLimit, expr.span, "expressions, blocks and calls",
                     CheckLimits::kMaxDepth);
    reporter_.stop();
    return unknown(expr.span);
  }
  ++depth_;
  ++open_expressions_;
  Value value =
      std::holds_alternative<syntax::BinaryExpr>(expr.node)
          ? binary_chain(id)
          : std::visit(
                [&](const auto& n) {
                  if constexpr (std::is_same_v<std::decay_t<decltype(n)>, syntax::BinaryExpr>)
                    return unknown(expr.span);
                  else
                    return node(expr.span, n);
                },
                expr.node);
  --open_expressions_;
  --depth_;
  value.span = expr.span;
  return value;
}

Value Checker::node(Span span, const syntax::NumberLit& n) {
  return builder_.constant(Kind::Number, n.value, span);
}

Value Checker::node(Span span, const syntax::BoolLit& n) {
  return builder_.constant(Kind::Bool, n.value ? 1 : 0, span);
}

Value Checker::node(Span span, const syntax::TextLit& n) {
  reporter_.report(DiagnosticKind::TextMisplaced, span, n.value);
  return unknown(span);
}

Value Checker::node(Span span, const syntax::UnaryExpr& n) {
  const Value operand = expression(n.operand);
  if (n.op == syntax::UnaryOp::Not)
    return expect_kind(operand, Kind::Bool, "the operand of `not`")
               ? apply(Op::Not, span, {operand})
               : unknown(span);
  return expect_kind(operand, Kind::Number, "the operand of `-`") ? apply(Op::Neg, span, {operand})
                                                                  : unknown(span);
}

namespace {

struct Operator {
  Op op;
  Kind operands;
  std::string_view text;
};

/// Nothing for `@`, which has no operation yet.
std::optional<Operator> operator_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return Operator{Op::Add, Kind::Number, "an operand of `+`"};
    case BinaryOp::Sub:
      return Operator{Op::Sub, Kind::Number, "an operand of `-`"};
    case BinaryOp::Mul:
      return Operator{Op::Mul, Kind::Number, "an operand of `*`"};
    case BinaryOp::Div:
      return Operator{Op::Div, Kind::Number, "an operand of `/`"};
    case BinaryOp::Mod:
      return Operator{Op::Mod, Kind::Number, "an operand of `%`"};
    case BinaryOp::Pow:
      return Operator{Op::Pow, Kind::Number, "an operand of `^`"};
    case BinaryOp::MatMul:
      return std::nullopt;
    case BinaryOp::Lt:
      return Operator{Op::Lt, Kind::Number, "an operand of `<`"};
    case BinaryOp::Le:
      return Operator{Op::Le, Kind::Number, "an operand of `<=`"};
    case BinaryOp::Gt:
      return Operator{Op::Gt, Kind::Number, "an operand of `>`"};
    case BinaryOp::Ge:
      return Operator{Op::Ge, Kind::Number, "an operand of `>=`"};
    case BinaryOp::Eq:
      return Operator{Op::Eq, Kind::Number, "an operand of `==`"};
    case BinaryOp::Ne:
      return Operator{Op::Ne, Kind::Number, "an operand of `!=`"};
    case BinaryOp::And:
      return Operator{Op::And, Kind::Bool, "an operand of `and`"};
    case BinaryOp::Or:
      return Operator{Op::Or, Kind::Bool, "an operand of `or`"};
  }
  TALWEG_UNREACHABLE("an operator of no kind");
}

}  // namespace

/// `a + b + c + ...` leans to the left without bound: the left side is walked by a loop.
Value Checker::binary_chain(syntax::ExprId id) {
  std::vector<const syntax::Expr*> chain;
  while (const auto* n = std::get_if<syntax::BinaryExpr>(&tree()[id].node)) {
    if (!spend(tree()[id].span)) return unknown(tree()[id].span);
    chain.push_back(&tree()[id]);
    id = n->left;
    if (!id.valid()) return {};
  }
  std::optional<Value> left;
  const auto& innermost = std::get<syntax::BinaryExpr>(chain.back()->node);
  if ((left = choice_comparison(chain.back()->span, innermost))) chain.pop_back();
  if (!left) left = expression(id);
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    const auto& n = std::get<syntax::BinaryExpr>((*link)->node);
    const LowRanks ranks = operand_ranks_;
    if (n.op == BinaryOp::And || n.op == BinaryOp::Or)
      operand_ranks_ = ranks_under(ranks, *left, n.op == BinaryOp::And);
    const Value right = expression(n.right);
    operand_ranks_ = ranks;
    left = binary((*link)->span, n.op, *left, right);
    left->span = (*link)->span;
  }
  return *left;
}

Value Checker::binary(Span span, BinaryOp op, const Value& left, const Value& right) {
  const std::optional<Operator> row = operator_of(op);
  if (!row) {
    reporter_.report(DiagnosticKind::MatricesLater, span, "the matrix product `@`");
    return unknown(span);
  }
  const bool left_fits = expect_kind(left, row->operands, row->text);
  const bool right_fits = expect_kind(right, row->operands, row->text);
  if (!left_fits || !right_fits) return unknown(span);
  if (op == BinaryOp::Pow && right.constant)
    return apply(Op::Pow, span,
                 {left, builder_.constant(Kind::Number, *right.constant, right.span)});
  return apply(row->op, span, {left, right});
}

Value Checker::apply(Op op, Span span, const std::vector<Value>& operands) {
  ApplyNode node{op, {}};
  Rate rate = Rate::Const;
  for (const Value& operand : operands) {
    if (!operand.is_scalar()) return unknown(span);
    rate = types::join(rate, operand.type.rate);
    node.operands.push_back(operand.id);
  }
  const bool gives_number = builtins::info(op).signature == builtins::Signature::Numbers;
  const Type type{gives_number ? Kind::Number : Kind::Bool, rate};
  std::optional<double> constant;
  if (rate == Rate::Const) constant = fold(builder_, op, node.operands);
  return emit(type, span, std::move(node), constant);
}

std::optional<std::size_t> Checker::choice_named(Frame& frame, syntax::ExprId id,
                                                 const syntax::HyperDecl& decl) {
  return with_frame(frame, [&]() -> std::optional<std::size_t> {
    const auto* name = std::get_if<syntax::NameExpr>(&tree()[id].node);
    if (!name || name->path.parts.size() != 1) return std::nullopt;
    std::string text = name->path.parts.front().text;
    if (HyperMember* other = choice_hyper(name->path); other && other->value.is_scalar()) {
      other->is_used = true;
      text = other->decl->choices[static_cast<std::size_t>(*other->value.constant)].text;
    }
    charge(decl.choices.size());
    const auto choice =
        std::ranges::find_if(decl.choices, [&](const auto& c) { return c.text == text; });
    if (choice == decl.choices.end()) return std::nullopt;
    return static_cast<std::size_t>(choice - decl.choices.begin());
  });
}

/// `mode == raw`, also the other way round. `mode < raw` is refused once, for both its sides.
std::optional<Value> Checker::choice_comparison(Span span, const syntax::BinaryExpr& n) {
  const auto hyper_at = [&](syntax::ExprId id) -> HyperMember* {
    const auto* name = id.valid() ? std::get_if<syntax::NameExpr>(&tree()[id].node) : nullptr;
    return name ? choice_hyper(name->path) : nullptr;
  };
  HyperMember* hyper = hyper_at(n.left);
  const syntax::ExprId other = hyper ? n.right : n.left;
  if (!hyper) hyper = hyper_at(n.right);
  if (!hyper || !other.valid()) return std::nullopt;
  const auto choice = choice_named(*frame_, other, *hyper->decl);
  if (n.op != BinaryOp::Eq && n.op != BinaryOp::Ne) {
    if (!choice) return std::nullopt;
    expression(other == n.left ? n.right : n.left);  // says how choices are compared
    return unknown(span);
  }
  hyper->is_used = true;
  if (!choice) {
    report_unknown_choice(tree()[other].span, *hyper->decl);
    return unknown(span);
  }
  if (!hyper->value.is_scalar()) return unknown(span);
  const bool equal = *hyper->value.constant == static_cast<double>(*choice);
  return builder_.constant(Kind::Bool, equal == (n.op == BinaryOp::Eq) ? 1 : 0, span);
}

void Checker::report_unknown_choice(Span span, const syntax::HyperDecl& decl) {
  if (!reporter_.keeps_more()) return reporter_.fail();
  std::vector<std::string> choices;
  for (const syntax::Name& choice : decl.choices) choices.push_back(choice.text);
  reporter_.report(DiagnosticKind::UnknownChoice, span, decl.name.text)
      .label(decl.name.span, "declared here")
      .help(fmt::format("its choices are {}", fmt::join(choices, ", ")));
}

Value Checker::node(Span span, const syntax::ListExpr& n) {
  std::vector<double> items;
  bool known = true;
  for (const syntax::ExprId id : n.items) {
    const Value item = expression(id);
    if (!expect_kind(item, Kind::Number, "an item of a list")) {
      known = false;
    } else if (!item.constant) {
      auto report = reporter_.report(DiagnosticKind::ListNotConstant, item.span);
      blame(report, item.id, Rate::Const);
      known = false;
    } else {
      items.push_back(*item.constant);
    }
  }
  Value value = unknown(span);
  if (!known) return value;
  value.known = true;
  value.list = std::make_shared<const std::vector<double>>(std::move(items));
  return value;
}

/// An arm of an `if`: the statements of a block go to `statements`.
Value Checker::arm(syntax::ExprId id, std::vector<TypedStmt>& statements) {
  if (!id.valid()) return {};
  const auto* block = std::get_if<syntax::BlockExpr>(&tree()[id].node);
  std::vector<TypedStmt>* outer = std::exchange(out_, &statements);
  frame_->scopes.emplace_back();
  if (block) this->statements(block->statements);
  const Value value = expression(block ? block->value : id);
  frame_->scopes.pop_back();
  out_ = outer;
  return value;
}

Value Checker::block_value(Span span, std::vector<TypedStmt> statements, const Value& value) {
  if (!value.is_scalar()) return value;
  return emit(value.type, span, BlockNode{std::move(statements), value.id}, value.constant);
}

Value Checker::node(Span span, const syntax::BlockExpr& n) {
  std::vector<TypedStmt> body;
  std::vector<TypedStmt>* outer = std::exchange(out_, &body);
  frame_->scopes.emplace_back();
  statements(n.statements);
  const Value value = expression(n.value);
  frame_->scopes.pop_back();
  out_ = outer;
  return block_value(span, std::move(body), value);
}

bool Checker::same_kind(Span span, const Value& then_value, const Value& else_value) {
  if (!then_value.known || !else_value.known) return false;
  if (then_value.is_list() == else_value.is_list() &&
      (then_value.is_list() || then_value.type.kind == else_value.type.kind))
    return true;
  const auto words = [](const Value& v) {
    if (v.is_list()) return "a list";
    return v.type.kind == Kind::Bool ? "true or false" : "a number";
  };
  reporter_.report(DiagnosticKind::ArmsDiffer, span, words(then_value), words(else_value))
      .label(then_value.span, words(then_value))
      .label(else_value.span, words(else_value));
  return false;
}

Value Checker::constant_if(Span span, const syntax::IfExpr& n, bool taken) {
  std::vector<TypedStmt> body;
  const Value value = maybe([&] { return arm(taken ? n.then_value : n.else_value, body); });
  Value other;
  discard([&] {
    std::vector<TypedStmt> dropped;
    other = arm(taken ? n.else_value : n.then_value, dropped);
  });
  if (other.known && value.known && !same_kind(span, taken ? value : other, taken ? other : value))
    return unknown(span);
  return block_value(span, std::move(body), value);
}

Value Checker::node(Span span, const syntax::IfExpr& n) {
  const Value condition = expression(n.condition);
  const bool known = expect_kind(condition, Kind::Bool, "the condition of an `if`");
  if (known && condition.constant) return constant_if(span, n, *condition.constant != 0);

  const Rate rate = known ? condition.type.rate : Rate::Const;
  std::vector<TypedStmt> then_body, else_body;
  guards_.push_back({rate, condition.span, known ? std::optional(condition.id) : std::nullopt});
  const LowRanks ranks = low_ranks_;
  low_ranks_ = ranks_under(ranks, condition, true);
  Flow::Start start = flow_.enter_arm();
  const Value then_value = arm(n.then_value, then_body);
  const Flow::Arm then_arm = flow_.leave_arm(start);
  low_ranks_ = ranks_under(ranks, condition, false);
  start = flow_.enter_arm();
  const Value else_value = arm(n.else_value, else_body);
  const Flow::Arm else_arm = flow_.leave_arm(start);
  low_ranks_ = ranks;
  guards_.pop_back();
  flow_.join(then_arm, else_arm, rate, known, condition.span);

  if (!same_kind(span, then_value, else_value) || !known) return unknown(span);
  if (then_value.is_list()) {
    expect_kind(then_value, Kind::Number, "an arm of an `if` that is not constant");
    return unknown(span);
  }
  const auto body_of = [&](std::vector<TypedStmt>& body, const Value& value) {
    return body.empty() ? value : block_value(value.span, std::move(body), value);
  };
  const Value a = body_of(then_body, then_value);
  const Value b = body_of(else_body, else_value);
  if (!a.known || !b.known) return unknown(span);
  return emit({a.type.kind, types::join(rate, types::join(a.type.rate, b.type.rate))}, span,
              ChooseNode{condition.id, a.id, b.id}, std::nullopt);
}

}  // namespace talweg::sema
