// What `regrad` means for the stages around it: it serves all tensors, stages before it are not run
// again, and an update that was made before stays.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/load_walk.h"
#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

namespace {

bool asks_for_gradient(const std::vector<TypedStmt>& statements) {
  return std::ranges::any_of(statements, [](const TypedStmt& statement) {
    const auto* branch = std::get_if<TypedIf>(&statement.node);
    return std::holds_alternative<TypedRegrad>(statement.node) ||
           (branch &&
            (asks_for_gradient(branch->then_body) || asks_for_gradient(branch->else_body)));
  });
}

bool assigns(const std::vector<TypedStmt>& statements, SymbolKind kind) {
  return std::ranges::any_of(statements, [&](const TypedStmt& statement) {
    if (const auto* assign = std::get_if<TypedAssign>(&statement.node))
      return assign->target.kind == kind;
    const auto* branch = std::get_if<TypedIf>(&statement.node);
    return branch && (assigns(branch->then_body, kind) || assigns(branch->else_body, kind));
  });
}

}  // namespace

void PipelineChecker::refuse_regrad_in_arm(const RuleInstance& instance, Span stage) {
  reporter_.report(DiagnosticKind::RegradInArm, stage)
      .label(*instance.regrad, "the `regrad`")
      .help(fmt::format("write the stage before the rule that chooses, once: `{} | Recipe`",
                        instance.decl->name.text));
}

/// True if something reads `grad` behind the first `regrad` of this part of the pipeline.
bool PipelineChecker::new_gradient_is_read(const StageRange& part) const {
  const std::vector<TypedStage>& stages = builder_.rule.stages;
  bool is_read = false;
  LoadWalk reads(builder_.rule, [&](const TypedExpr&, std::optional<Symbol> symbol) {
    is_read |= symbol && symbol->kind == SymbolKind::Grad;
  });
  bool is_behind = false;
  for (std::size_t i = part.first; i < stages.size() && !is_read; ++i)
    for (const TypedStmt& statement : stages[i].step) {
      is_behind = is_behind || asks_for_gradient({statement});
      if (is_behind) reads.walk(statement);
    }
  for (const TypedStage& stage : stages) reads.walk(stage.after);
  return is_read;
}

/// The parts are the stages of a pipeline as it is written, in order.
void PipelineChecker::warn_of_gradients(const std::vector<StageRange>& parts) {
  const std::vector<TypedStage>& stages = builder_.rule.stages;
  const auto any_of = [&](const StageRange& part, auto holds) {
    return std::any_of(stages.begin() + static_cast<std::ptrdiff_t>(part.first),
                       stages.begin() + static_cast<std::ptrdiff_t>(part.end), holds);
  };
  const auto asks = std::find_if(parts.rbegin(), parts.rend(), [&](const StageRange& part) {
    return any_of(part, [](const TypedStage& stage) { return asks_for_gradient(stage.step); });
  });
  if (asks == parts.rend()) return;
  const auto name_of = [](const StageRange& part) { return part.ref->rule.text(); };
  const StageRange* maker = nullptr;  // of the update
  for (auto part = parts.begin(); &*part != &*asks; ++part) {
    const auto loses = [&](const TypedStage& stage) {
      return assigns(stage.step, SymbolKind::Grad) &&
             std::none_of(stages.begin() + static_cast<std::ptrdiff_t>(asks->end), stages.end(),
                          [&](const TypedStage& later) { return later.rule == stage.rule; });
    };
    if (any_of(*part, loses))
      reporter_
          .report(DiagnosticKind::FirstGradientOnly, part->ref->span, name_of(*part),
                  name_of(*asks))
          .label(asks->ref->span, "`grad` is a new one from here on")
          .help(fmt::format("write it behind: `{} | {}`", name_of(*asks), name_of(*part)));
    if (any_of(*part, [](const TypedStage& stage) {
          return !stage.condition && assigns(stage.step, SymbolKind::Update);
        }))
      maker = &*part;
  }
  if (maker && !new_gradient_is_read(*asks))
    reporter_
        .report(DiagnosticKind::NewGradientUnread, asks->ref->span, name_of(*asks), name_of(*maker))
        .label(maker->ref->span, "the update is made here, from the first gradient")
        .help(fmt::format("write it before: `{} | {}`", name_of(*asks), name_of(*maker)));
}

}  // namespace talweg::sema
