// `previous(x)`: a state without a name of its own, which is read and then assigned where the call
// stands.
#include <fmt/format.h>

#include "compiler/base/check.h"
#include "compiler/sema/checker.h"
#include "compiler/syntax/print.h"

namespace talweg::sema {

using base::DiagnosticKind;

std::string_view words_of(Place place) {
  switch (place) {
    case Place::Step:
      return "a `step`";
    case Place::After:
      return "an `after`";
    case Place::Function:
      return "a function";
    case Place::Initial:
      return "an initial value";
    case Place::Constant:
      return "a constant";
    case Place::Default:
      return "the default of a hyper";
    case Place::View:
      return "a view";
    case Place::Argument:
      return "an argument of a stage";
    case Place::When:
      return "the condition of a `when`";
    case Place::Require:
      return "the condition of a `require`";
  }
  TALWEG_UNREACHABLE("an expression that stands nowhere");
}

/// "previous(grad)"; for the second of the same text in a stage "previous(grad) 2". No name that is
/// written has parentheses, so it is no other state's.
std::string Checker::previous_name(const syntax::CallExpr& call, const std::string& stage) {
  constexpr std::size_t kLongest = 60;
  std::string text = syntax::print(tree(), call.arguments.front().value);
  if (text.size() > kLongest || text.find('\n') != std::string::npos) text = "...";
  std::string name = fmt::format("previous({})", text);
  const int count = ++previous_names_[{stage, name}];
  return count == 1 ? name : fmt::format("{} {}", name, count);
}

/// It is kept where the arms around it are taken, so it differs as often as their conditions.
Value Checker::previous_call(Span span, const syntax::CallExpr& call) {
  const Frame& outermost = origin();
  const auto operands = positional(call, 1, 1);
  const bool in_block = outermost.place == Place::Step || outermost.place == Place::After;
  if (!in_block && outermost.place != Place::Function) {
    reporter_.report(DiagnosticKind::PreviousMisplaced, span, words_of(outermost.place));
    return unknown(span);
  }
  if (!in_block || !operands || !operands->front().is_scalar()) return unknown(span);
  const Value& now = operands->front();
  Rate rate = types::join(now.type.rate, Rate::Model);
  for (const Guard& guard : guards_) rate = types::join(rate, guard.rate);
  const Type type{Kind::Number, rate};
  if (discarding_ > 0) return emit(type, span, BlockNode{{}, now.id}, std::nullopt);

  const RuleInstance& rule = *outermost.rule;
  TypedState state;
  state.name = previous_name(call, rule.label);
  state.stage = rule.label;
  state.doc = "What stands in the parentheses was this in the last step that came by.";
  state.span = span;
  state.rate = rate;
  state.condition = rule.condition;
  state.is_previous = true;
  const Symbol kept{SymbolKind::State, static_cast<std::uint32_t>(builder_.rule.states.size())};
  builder_.rule.states.push_back(std::move(state));
  builder_.state_is_kept.push_back(true);

  const Symbol before{SymbolKind::Local, builder_.add_local("before", span)};
  std::vector<TypedStmt> body;
  std::vector<TypedStmt>* outer = std::exchange(out_, &body);
  const auto assign = [&](Symbol target, TypedExprId value) {
    put(span, TypedAssign{target, value});
  };
  const auto read = [&](Symbol symbol, Type of) {
    return emit(of, span, LoadNode{symbol}, std::nullopt).id;
  };
  TypedExprId value = now.id;
  if (now.constant) {
    value = builder_.constant(Kind::Number, *now.constant, now.span).id;
  } else {
    const Symbol local{SymbolKind::Local, builder_.add_local("now", span)};
    assign(local, now.id);
    value = read(local, now.type);
  }
  assign(before, read(kept, type));
  assign(kept, value);
  out_ = outer;
  return block_value(span, std::move(body), emit(type, span, LoadNode{before}, std::nullopt));
}

}  // namespace talweg::sema
