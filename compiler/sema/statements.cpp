// Statements: let, var, `if` and `for`. Assignments are in assignments.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/sema/checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

void Checker::put(Span span, decltype(TypedStmt::node) node) {
  if (reporter_.stopped()) return;
  if (discarding_ == 0 && ++statement_count_ > CheckLimits::kMaxStatements) {
    reporter_.report(DiagnosticKind::StatementLimit, span, unit_words_,
                     CheckLimits::kMaxStatements);
    reporter_.stop();
    return;
  }
  out_->push_back({span, std::move(node)});
}

void Checker::statements(const Statements& body) {
  for (const syntax::StmtId id : body) {
    if (reporter_.stopped()) return;
    statement(id);
  }
}

void Checker::scoped(const Statements& body) {
  frame_->scopes.emplace_back();
  statements(body);
  frame_->scopes.pop_back();
}

void Checker::statement(syntax::StmtId id) {
  const syntax::Stmt& stmt = tree()[id];
  if (!spend(stmt.span)) return;
  if (depth_ >= CheckLimits::kMaxDepth) {
    reporter_.report(DiagnosticKind::NestingLimit, stmt.span, "expressions, blocks and calls",
                     CheckLimits::kMaxDepth);
    reporter_.stop();
    return;
  }
  ++depth_;
  const syntax::Stmt* outer = std::exchange(open_statement_, &stmt);
  std::visit([&](const auto& s) { node(stmt.span, s); }, stmt.node);
  open_statement_ = outer;
  --depth_;
}

void Checker::node(Span span, const syntax::LetStmt& s) {
  Value value = expression(s.value);
  if (!s.is_var) {
    LocalName local{.sort = LocalName::Sort::Let, .value = value, .span = {}};
    if (value.is_scalar() && !value.constant) {
      local.local = builder_.add_local(s.name.text, s.name.span, value.id);
      put(span, TypedAssign{{SymbolKind::Local, local.local}, value.id});
    }
    declare(s.name, std::move(local));
    return;
  }
  if (value.is_list()) value.known = expect_kind(value, Kind::Number, "a `var`");
  LocalName local{.sort = LocalName::Sort::Var, .value = {}, .span = {}};
  local.local = builder_.add_local(s.name.text, s.name.span);
  local.var = flow_.declare({value.known, value.type.kind, value.type.rate, value.constant});
  if (value.known) put(span, TypedAssign{{SymbolKind::Local, local.local}, value.id});
  note_write({SymbolKind::Local, local.local}, {span, s.name.text, s.name.span, true});
  declare(s.name, std::move(local));
}

void Checker::node(Span span, const syntax::IfStmt& s) {
  const Value condition = expression(s.condition);
  const bool known = expect_kind(condition, Kind::Bool, "the condition of an `if`");
  if (known && condition.constant) {
    const bool taken = *condition.constant != 0;
    maybe([&] { scoped(taken ? s.then_body : s.else_body); });
    discard([&] { scoped(taken ? s.else_body : s.then_body); });
    return;
  }
  const Rate rate = known ? condition.type.rate : Rate::Const;
  std::vector<TypedStmt> bodies[2];
  std::vector<TypedStmt>* outer = out_;
  guards_.push_back({rate, condition.span, known ? std::optional(condition.id) : std::nullopt});
  Flow::Arm arms[2];
  const LowRanks ranks = low_ranks_;
  const std::uint32_t regrads_before = regrads_of_step_;
  std::uint32_t most_regrads = 0;
  for (const int i : {0, 1}) {
    out_ = &bodies[i];
    regrads_of_step_ = regrads_before;
    low_ranks_ = ranks_under(ranks, condition, i == 0);
    const Flow::Start start = flow_.enter_arm();
    scoped(i == 0 ? s.then_body : s.else_body);
    arms[i] = flow_.leave_arm(start);
    most_regrads = std::max(most_regrads, regrads_of_step_);
  }
  regrads_of_step_ = most_regrads;
  low_ranks_ = ranks;
  guards_.pop_back();
  out_ = outer;
  flow_.join(arms[0], arms[1], rate, known, condition.span);
  if (known && !(bodies[0].empty() && bodies[1].empty()))
    put(span, TypedIf{condition.id, std::move(bodies[0]), std::move(bodies[1])});
}

/// A whole number that a double counts exactly.
std::optional<double> Checker::loop_bound(syntax::ExprId id) {
  constexpr double kLargestExact = 9007199254740992.0;  // 2^53
  const Value value = expression(id);
  if (!expect_kind(value, Kind::Number, "a bound of a `for`") ||
      !expect_constant(value, "a bound of a `for`"))
    return std::nullopt;
  const double bound = *value.constant;
  if (bound == std::trunc(bound) && std::fabs(bound) <= kLargestExact) return bound;
  reporter_.report(DiagnosticKind::NotWhole, value.span, "a bound of a `for`",
                   types::number_text(bound));
  return std::nullopt;
}

/// The values of the loop's variable, or nothing after an error.
std::optional<std::vector<Value>> Checker::loop_values(const syntax::ForStmt& s) {
  std::vector<double> numbers;
  Span span;
  if (s.last) {
    const std::optional<double> first = loop_bound(s.first);
    const std::optional<double> last = loop_bound(*s.last);
    if (!first || !last) return std::nullopt;
    span = tree()[s.first].span.to(tree()[*s.last].span);
    const double count = *last - *first + 1;
    if (count > CheckLimits::kMaxIterations) {
      reporter_.report(DiagnosticKind::LoopLimit, span, types::number_text(count),
                       types::number_text(CheckLimits::kMaxIterations));
      return std::nullopt;
    }
    for (double i = *first; i <= *last; ++i) numbers.push_back(i);
  } else {
    const Value list = expression(s.first);
    span = list.span;
    if (!list.known) return std::nullopt;
    if (!list.is_list()) {
      reporter_.report(DiagnosticKind::NotAList, list.span)
          .help("write a range, `1..5`, or a list of constants, `[30, 80]`");
      return std::nullopt;
    }
    numbers = *list.list;
  }
  std::vector<Value> values;
  for (const double number : numbers)
    values.push_back({true, {Kind::Number, Rate::Const}, {}, number, nullptr, span});
  return values;
}

void Checker::node(Span span, const syntax::ForStmt& s) {
  const std::optional<std::vector<Value>> values = loop_values(s);
  const auto once = [&](const Value& value) {
    frame_->scopes.emplace_back();
    declare(s.variable, {.sort = LocalName::Sort::LoopVariable, .value = value, .span = {}});
    statements(s.body);
    frame_->scopes.pop_back();
  };
  if (!values || values->empty()) {
    discard([&] { once({}); });
    return;
  }
  maybe([&] {
    for (const Value& value : *values) {
      if (!spend(span)) return;
      once(value);
    }
  });
}

}  // namespace talweg::sema
