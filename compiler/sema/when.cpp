// Rules that choose a pipeline for each tensor: `when condition: ...` and `otherwise: ...`.
//
// A stage keeps the condition of the arms it stands in: of the tensors that no earlier arm took,
// those that its own arm takes. Conditions are bools of tensor rate over facts and constants.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/pipeline_checker.h"
#include "compiler/syntax/print.h"

namespace talweg::sema {

using base::DiagnosticKind;
using builtins::Op;

namespace {

/// Each way is code of its own in a pass.
constexpr std::size_t kMaxWays = 64;

}  // namespace

Value Checker::load_fact(types::Fact fact, Span span) {
  auto& facts = builder_.rule.facts;
  auto place = std::ranges::find(facts, fact);
  if (place == facts.end()) place = facts.insert(facts.end(), std::move(fact));
  const Kind kind = types::is_truth(place->kind) ? Kind::Bool : Kind::Number;
  const auto index = static_cast<std::uint32_t>(place - facts.begin());
  return emit({kind, Rate::Tensor}, span, LoadNode{{SymbolKind::Fact, index}}, std::nullopt);
}

/// `named("*.bias")`, `tagged("embedding")`.
Value Checker::fact_call(Span span, const syntax::CallExpr& call, types::FactKind kind) {
  if (!is_decided_early(frame_->place)) {
    reporter_.report(DiagnosticKind::FactOutsideWhen, call.callee.span, types::to_text(kind));
    return unknown(span);
  }
  const syntax::TextLit* text = nullptr;
  if (call.arguments.size() == 1 && call.arguments[0].value.valid() && !call.arguments[0].name)
    text = std::get_if<syntax::TextLit>(&tree()[call.arguments[0].value].node);
  if (!text || text->value.empty()) {
    reporter_.report(DiagnosticKind::FactNeedsText, span, types::to_text(kind));
    return unknown(span);
  }
  return load_fact({kind, text->value}, span);
}

bool PipelineChecker::check_arms(const syntax::RuleDecl& decl) {
  const auto is_otherwise = [](const syntax::WhenArm& arm) { return !arm.condition; };
  const auto otherwise = std::ranges::find_if(decl.arms, is_otherwise);
  if (otherwise == decl.arms.end() ||
      (otherwise != decl.arms.begin() && otherwise + 1 == decl.arms.end()))
    return true;
  const bool is_first = otherwise == decl.arms.begin();
  reporter_.report(DiagnosticKind::OtherwiseMisplaced,
                   is_first ? otherwise->span : (otherwise + 1)->span,
                   is_first ? "no `when` stands before this `otherwise`"
                            : "this arm comes after `otherwise`, so no tensor can reach it");
  return false;
}

Value PipelineChecker::arm_condition(RuleInstance& instance, const syntax::WhenArm& arm) {
  Frame frame{.module = instance.module, .place = Place::When, .rule = &instance};
  const Value value = checker_.value_in(frame, *arm.condition);
  if (!checker_.expect_kind(value, Kind::Bool, "the condition of a `when`")) return {};
  return value;
}

/// `require rank <= 2`: of all tensors that run the rule.
void PipelineChecker::requirements(RuleInstance& instance) {
  const bool runs = !condition_.constant || *condition_.constant != 0;
  for (const syntax::RequireDecl& decl : instance.decl->requires_) {
    Frame frame{.module = instance.module, .place = Place::Require, .rule = &instance};
    const Value value = checker_.value_in(frame, decl.condition);
    checker_.set_low_ranks(checker_.ranks_under(checker_.low_ranks(), value, true));
    if (!checker_.expect_kind(value, Kind::Bool, "the condition of a `require`") || !runs) continue;
    if (value.constant) {
      if (*value.constant == 0)
        reporter_.report(DiagnosticKind::RequirementNeverHolds, value.span,
                         instance.decl->name.text);
      continue;
    }
    TypedRequirement requirement;
    requirement.span = decl.span;
    requirement.text = syntax::print(*instance.module->tree, decl.condition);
    requirement.rule = instance.decl->name.text;
    requirement.condition = value.id;
    if (condition_.known) requirement.stage_condition = condition_.id;
    builder_.rule.requirements.push_back(std::move(requirement));
  }
}

Value PipelineChecker::negated(const Value& a) {
  if (a.constant) return builder_.constant(Kind::Bool, *a.constant == 0 ? 1 : 0, a.span);
  return builder_.emit(a.type, a.span, ApplyNode{Op::Not, {a.id}}, std::nullopt);
}

/// Both hold; a condition that is not known holds.
Value PipelineChecker::both(const Value& a, const Value& b, Span span) {
  if (!a.known || (a.constant && *a.constant != 0)) return b;
  if (!b.known || (b.constant && *b.constant != 0)) return a;
  if (a.constant) return a;
  if (b.constant) return b;
  return builder_.emit({Kind::Bool, Rate::Tensor}, span, ApplyNode{Op::And, {a.id, b.id}},
                       std::nullopt);
}

void PipelineChecker::arms(RuleInstance& instance) {
  const std::vector<syntax::WhenArm>& arms = instance.decl->arms;
  if (!check_arms(*instance.decl)) return;
  way_count_ *= arms.size() + (arms.back().condition ? 1 : 0);
  if (way_count_ > kMaxWays) {
    reporter_.report(DiagnosticKind::WayLimit, arms.front().span, kMaxWays);
    reporter_.stop();
    return;
  }
  const Value around = condition_;
  const LowRanks around_ranks = checker_.low_ranks();
  LowRanks left_ranks = around_ranks;
  Value left = around;  // the tensors that no arm took so far
  const auto outer_stages = instance.stages;
  const auto outer_names = instance.stage_names;
  for (const syntax::WhenArm& arm : arms) {
    condition_ = left;
    checker_.set_low_ranks(left_ranks);
    if (arm.condition) {
      const Value taken = arm_condition(instance, arm);
      checker_.set_low_ranks(checker_.ranks_under(left_ranks, taken, true));
      if (taken.known) {
        left_ranks = checker_.ranks_under(left_ranks, taken, false);
        condition_ = both(left, taken, arm.span);
        left = both(left, negated(taken), arm.span);
      }
    }
    stages(instance, arm.pipeline);
    instance.stages = outer_stages;
    instance.stage_names = outer_names;
  }
  condition_ = around;
  checker_.set_low_ranks(around_ranks);
}

}  // namespace talweg::sema
