// What the conditions around a statement or a reduction allow.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

namespace {

/// True for a value that is decided where the optimizer is built.
bool is_of_facts(const TypedRule& rule, TypedExprId id) {
  const auto all = [&](const std::vector<TypedExprId>& parts) {
    return std::ranges::all_of(parts, [&](TypedExprId part) { return is_of_facts(rule, part); });
  };
  const auto& node = rule[id].node;
  if (const auto* load = std::get_if<LoadNode>(&node)) return load->symbol.kind == SymbolKind::Fact;
  if (const auto* apply = std::get_if<ApplyNode>(&node)) return all(apply->operands);
  if (const auto* choose = std::get_if<ChooseNode>(&node))
    return all({choose->condition, choose->then_value, choose->else_value});
  return std::holds_alternative<ConstantNode>(node);
}

}  // namespace

bool Checker::is_decided_for_model(Span span, std::string_view what) {
  for (const Guard& guard : guards_) {
    if (types::fits(guard.rate, Rate::Model)) continue;
    auto report =
        reporter_.report(DiagnosticKind::ExitTooFast, guard.span, what, types::to_text(guard.rate));
    report.label(span, fmt::format("the `{}` that it decides about", what));
    if (guard.condition && guard.rate == Rate::Group)
      suggest_model_rate(report, *guard.condition);
    else if (guard.condition)
      suggest_reduction(report, *guard.condition, Rate::Model);
    return false;
  }
  return true;
}

/// True if no condition around is faster than a reduction to `target`, whose value it would choose
/// before it is there.
bool Checker::guards_allow(Span span, Rate target) {
  for (const Guard& guard : guards_) {
    if (types::fits(guard.rate, target)) continue;
    auto report = reporter_.report(DiagnosticKind::ReductionUnderFastCondition, guard.span,
                                   types::to_text(target), types::to_text(guard.rate));
    report.label(span, "this reduction stands under it");
    if (guard.condition && is_of_facts(builder_.rule, *guard.condition))
      report.help(
          "to run on some of the tensors only, make it a rule of its own and choose it by `when`");
    else if (guard.condition && guard.rate == Rate::Group)
      suggest_model_rate(report, *guard.condition);
    else
      report.help(
          fmt::format("name the reduction by `let` before the `if`, or choose what it reduces: "
                      "`sum(if c then x else 0) per {}`",
                      types::to_text(target)));
    return false;
  }
  return true;
}

}  // namespace talweg::sema
