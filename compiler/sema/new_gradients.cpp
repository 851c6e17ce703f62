// What `regrad` means for the stages around it: it serves all tensors, stages before it are not run
// again, and an update that was made before stays.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

namespace {

/// True if one of the statements, or of those within, is such.
template <class Holds>
bool any_statement(const std::vector<TypedStmt>& statements, Holds holds) {
  return std::ranges::any_of(statements, [&](const TypedStmt& statement) {
    const auto* branch = std::get_if<TypedIf>(&statement.node);
    return holds(statement) || (branch && (any_statement(branch->then_body, holds) ||
                                           any_statement(branch->else_body, holds)));
  });
}

bool assigns_gradient(const TypedStmt& statement) {
  const auto* assign = std::get_if<TypedAssign>(&statement.node);
  return assign && assign->target.kind == SymbolKind::Grad;
}

bool ends_calls(const TypedStmt& statement) {
  return std::holds_alternative<TypedExit>(statement.node);
}

}  // namespace

void PipelineChecker::refuse_regrad_in_arm(const RuleInstance& instance, Span stage) {
  reporter_.report(DiagnosticKind::RegradInArm, stage)
      .label(*instance.regrad, "the `regrad`")
      .help(before_the_choice(instance));
}

/// False if a warning about gradients was given there: a rule may be used twice.
bool PipelineChecker::is_first_warning_at(Span span) {
  return warned_at_.emplace(span.source.index, span.begin).second;
}

void PipelineChecker::warn_of_gradients() {
  const std::vector<AskedGradient> asked = asked_gradients(builder_.rule, is_complete_);
  if (asked.empty()) return;
  for (const Parts& parts : pipelines_) warn_of_lost(parts, asked);
  for (const AskedGradient& one : asked)
    if (!one.is_used) warn_of_unused(one);
}

/// The part that is the stage, or has it among its own.
const PipelineChecker::StageRange* PipelineChecker::part_of(const Parts& parts, std::size_t stage) {
  const auto found = std::ranges::find_if(
      parts, [&](const StageRange& part) { return part.first <= stage && stage < part.end; });
  return found == parts.end() ? nullptr : &*found;
}

/// Said of the outermost pipeline that has both, the stage that asks and the one that made the
/// update.
void PipelineChecker::warn_of_unused(const AskedGradient& asked) {
  const auto name_of = [](const StageRange& part) { return part.ref->rule.text(); };
  for (auto parts = pipelines_.rbegin(); parts != pipelines_.rend(); ++parts) {
    const StageRange* asks = part_of(*parts, asked.place.stage);
    if (!asks) continue;
    const StageRange* maker = asked.update ? part_of(*parts, asked.update->stage) : nullptr;
    if (asked.update && (!maker || maker == asks)) continue;
    if (!is_first_warning_at(asks->ref->span)) return;
    auto report = reporter_.report(
        DiagnosticKind::NewGradientUnread, asks->ref->span, name_of(*asks),
        maker ? fmt::format(": `{}` made the update before", name_of(*maker)) : "");
    if (maker)
      report.label(maker->ref->span, "the update is made here, from an earlier gradient")
          .help(fmt::format("write it before: `{} | {}`", name_of(*asks), name_of(*maker)));
    else
      report.help(fmt::format("write behind it what makes an update: `{} | SGD`", name_of(*asks)));
    return;
  }
  // One rule does both; where it is used by others, it is warned about where it stands. Alone in a
  // command it may be a stage that is only looked at.
  const bool is_here = asked.update ? is_complete_ || pipelines_.empty()
                                    : is_complete_ && moves_by_gradient(builder_.rule);
  if (!is_here || !is_first_warning_at(asked.place.span)) return;
  const std::string& rule = builder_.rule.stages[asked.place.stage].rule;
  auto report = reporter_.report(DiagnosticKind::NewGradientUnread, asked.place.span, rule,
                                 asked.update ? ": the update was made before" : "");
  if (asked.update)
    report.label(asked.update->span, "the update is made here, from an earlier gradient")
        .help("assign `update` behind the `regrad`, from the new `grad`");
  else
    report.help(fmt::format("write behind it what makes an update: `{} | SGD`", rule));
}

/// Stages before the last one that asks and that assign `grad`: in vain, where it is a new one.
void PipelineChecker::warn_of_lost(const Parts& parts, const std::vector<AskedGradient>& asked) {
  const std::vector<TypedStage>& stages = builder_.rule.stages;
  const auto any_asked = [&](const StageRange& part, auto holds) {
    return std::ranges::any_of(asked, [&](const AskedGradient& one) {
      return part.first <= one.place.stage && one.place.stage < part.end && holds(one);
    });
  };
  const auto asks = std::find_if(parts.rbegin(), parts.rend(), [&](const StageRange& part) {
    return any_asked(part, [](const AskedGradient& one) { return one.is_used; }) &&
           leaves_asked_gradient(builder_.rule, part.first, part.end);
  });
  if (asks == parts.rend()) return;
  const auto name_of = [](const StageRange& part) { return part.ref->rule.text(); };
  const bool always =
      any_asked(*asks, [](const AskedGradient& one) { return !one.is_conditional; });
  for (auto part = parts.begin(); &*part != &*asks; ++part) {
    const std::string name = name_of(*part), asking = name_of(*asks);
    const auto at = [&](std::size_t i) { return stages.begin() + static_cast<std::ptrdiff_t>(i); };
    const auto any_stage = [&](auto holds) {
      return std::any_of(at(part->first), at(part->end), [&](const TypedStage& stage) {
        return any_statement(stage.step, assigns_gradient) &&
               std::none_of(at(asks->end), stages.end(),
                            [&](const TypedStage& later) { return later.rule == stage.rule; }) &&
               holds(stage);
      });
    };
    const bool loses = any_stage([](const TypedStage&) { return true; });
    if (!loses || name == asking || !is_first_warning_at(part->ref->span)) continue;
    const bool ends =
        any_stage([](const TypedStage& stage) { return any_statement(stage.step, ends_calls); });
    reporter_.report(DiagnosticKind::FirstGradientOnly, part->ref->span, name, asking)
        .label(asks->ref->span, always ? "`grad` is a new one from here on"
                                       : "in steps that ask, `grad` is a new one from here on")
        .help(ends
                  ? fmt::format("write it behind: `{1} | {0}`", name, asking)
                  : fmt::format("write it behind, `{1} | {0}`, or on both sides: `{0} | {1} | {0}`",
                                name, asking));
  }
}

}  // namespace talweg::sema
