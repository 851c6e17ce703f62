// Pipelines: rules become stages.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "compiler/base/check.h"
#include "compiler/sema/names.h"
#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

namespace {

/// "ClipByGlobalNorm" -> "clip_by_global_norm", "AdamW" -> "adamw", "LAMB" -> "lamb": a capital
/// begins a word where a small letter follows it.
std::string snake_case(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool is_capital = std::isupper(byte) != 0;
    const bool begins_word = is_capital && i > 0 && i + 1 < name.size() &&
                             std::islower(static_cast<unsigned char>(name[i + 1])) != 0;
    if (begins_word && name[i - 1] != '_') result += '_';
    result += is_capital ? static_cast<char>(std::tolower(byte)) : name[i];
  }
  return result;
}

}  // namespace

PipelineChecker::PipelineChecker(Modules::Impl& modules, std::uint32_t total_work)
    : modules_(modules), reporter_(modules.reporter), checker_(modules, builder_) {
  checker_.add_earlier_work(total_work);
}

std::optional<TypedRule> PipelineChecker::rule_alone(LoadedModule& module,
                                                     const syntax::RuleDecl& decl, bool watch) {
  builder_.rule.name = decl.name.text;
  builder_.rule.doc = decl.doc;
  watches_ = watch;
  const bool is_pipeline = !decl.pipelines.empty() || !decl.arms.empty();
  use(module, decl,
      {.label = is_pipeline ? "" : unique_label(snake_case(decl.name.text)), .watch = watch});
  return finish();
}

std::optional<TypedRule> PipelineChecker::pipeline(LoadedModule& scope,
                                                   const syntax::RuleDecl& decl) {
  instances_.push_back(std::make_unique<RuleInstance>());
  RuleInstance& outer = *instances_.back();
  outer.module = &scope;
  outer.decl = &decl;
  watches_ = true;
  is_complete_ = true;
  if (decl.pipelines.empty()) {
    reporter_.fail();  // the parser said what is missing
    return std::nullopt;
  }
  const syntax::Pipeline& pipeline = decl.pipelines.front();
  const bool is_lone = pipeline.stages.size() == 1 && !pipeline.stages[0].label;
  if (is_lone) {
    const syntax::StageRef& stage = pipeline.stages[0];
    Found found;
    if (const syntax::RuleDecl* rule = find_rule(scope, stage.rule, found)) {
      builder_.rule.name = rule->name.text;
      builder_.rule.doc = rule->doc;
      const bool is_pipeline = !rule->pipelines.empty() || !rule->arms.empty();
      use(*found.module, *rule,
          {&stage, &outer, is_pipeline ? "" : unique_label(snake_case(rule->name.text))});
    }
  } else {
    builder_.rule.name = modules_.sources.text(pipeline.span);
    stages(outer, pipeline);
  }
  return finish();
}

std::optional<TypedRule> PipelineChecker::finish() {
  if (reporter_.failed()) return std::nullopt;
  if (watches_) warn_of_gradients();
  drop_unmentioned(builder_);
  set_public_names(builder_.rule);
  return std::move(builder_.rule);
}

bool PipelineChecker::enters_itself(const syntax::RuleDecl& decl, const Use& use) {
  const auto first = std::ranges::find(open_rules_, &decl);
  if (first == open_rules_.end()) return false;
  const bool is_new = std::none_of(first, open_rules_.end(), [&](const auto* open) {
    return modules_.in_circles.contains(open);
  });
  modules_.in_circles.insert(first, open_rules_.end());
  reporter_.fail();
  if (!is_new) return true;
  std::string circle;
  for (auto it = first; it != open_rules_.end(); ++it) circle += (*it)->name.text + " -> ";
  reporter_.report(DiagnosticKind::RecursiveRule, use.stage ? use.stage->rule.span : decl.name.span,
                   circle + decl.name.text);
  return true;
}

RuleInstance* PipelineChecker::use(LoadedModule& module, const syntax::RuleDecl& decl,
                                   const Use& use) {
  if (reporter_.stopped() || enters_itself(decl, use)) return nullptr;
  if (++use_count_ > CheckLimits::kMaxStages) {
    reporter_.report(DiagnosticKind::StageLimit, use.stage ? use.stage->span : decl.name.span,
                     CheckLimits::kMaxStages);
    reporter_.stop();
    return nullptr;
  }
  checker_.begin_unit(fmt::format("rule `{}`", decl.name.text), decl.name.span);
  instances_.push_back(std::make_unique<RuleInstance>());
  RuleInstance& instance = *instances_.back();
  instance.module = &module;
  instance.decl = &decl;
  instance.label = use.label;
  if (condition_.known) instance.condition = condition_.id;
  open_rules_.push_back(&decl);
  const std::size_t outer_given = reporter_.given_count();
  const LowRanks outer_ranks = checker_.low_ranks();
  check_structure(decl);
  declare_members(instance, use);
  requirements(instance);
  initial_values(instance);
  if (!decl.arms.empty())
    arms(instance);
  else if (!decl.pipelines.empty())
    stages(instance, decl.pipelines.front());
  else
    blocks(instance, use.watch);
  note_split(instance);
  checker_.set_low_ranks(outer_ranks);
  reporter_.forget_given(outer_given);
  if (condition_.known && !condition_.constant) {
    const Span place = use.stage ? use.stage->span : decl.name.span;
    if (instance.exit) refuse_exit_in_arm(instance, place);
    if (instance.regrad) refuse_regrad_in_arm(instance, place);
  }
  open_rules_.pop_back();
  if (use.watch && !reporter_.failed()) warn(instance);
  return &instance;
}

/// "write `SkipNonFinite | Recipe`": where a stage stands that cannot stand in an arm.
std::string PipelineChecker::before_the_choice(const RuleInstance& instance) const {
  const auto chooser = std::find_if(open_rules_.rbegin(), open_rules_.rend(),
                                    [](const auto* rule) { return !rule->arms.empty(); });
  TALWEG_CHECK(chooser != open_rules_.rend(), "an arm without a rule that chooses");
  return fmt::format("take it out of the arms and write it once, before the choice: `{} | {}`",
                     instance.decl->name.text, (*chooser)->name.text);
}

/// One end serves all tensors; which of them are left to go on depends on no arm.
void PipelineChecker::refuse_exit_in_arm(const RuleInstance& instance, Span stage) {
  const std::string_view word = to_text(instance.exit->kind);
  reporter_.report(DiagnosticKind::ExitInArm, stage, word)
      .label(instance.exit->span, fmt::format("the `{}`", word))
      .help(before_the_choice(instance));
}

void PipelineChecker::blocks(RuleInstance& instance, bool watch) {
  const syntax::RuleDecl& decl = *instance.decl;
  TypedStage stage{instance.label, decl.name.text, decl.doc, std::move(bindings_), {}, {}, {}};
  if (condition_.known) stage.condition = condition_.id;
  bindings_.clear();
  const auto check = [&](const std::vector<syntax::StepBlock>& blocks, Place place,
                         std::vector<TypedStmt>& out) {
    for (const syntax::StepBlock& block : blocks) {
      Frame frame{
          .module = instance.module, .place = place, .rule = &instance, .is_watched = watch};
      std::vector<TypedStmt> body;
      checker_.block_in(frame, block, body);
      if (&block == &blocks.front()) out = std::move(body);
    }
  };
  check(decl.steps, Place::Step, stage.step);
  check(decl.afters, Place::After, stage.after);
  builder_.rule.stages.push_back(std::move(stage));
  add_views(instance, watch);
}

std::string PipelineChecker::unique_label(const std::string& wanted) {
  std::string label = wanted;
  for (int n = 2; !labels_.insert(label).second; ++n) label = fmt::format("{}_{}", wanted, n);
  return label;
}

/// Labels of all stages: names that are given come first, so that they are kept as they are.
std::vector<std::string> PipelineChecker::stage_labels(RuleInstance& instance,
                                                       const syntax::Pipeline& pipeline) {
  std::vector<std::string> labels(pipeline.stages.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& name = pipeline.stages[i].label;
    if (!name) continue;
    if (is_reserved_in_rules(name->text))
      reporter_.report(DiagnosticKind::ReservedName, name->span, name->text);
    for (const syntax::Name& earlier : instance.stage_names)
      if (earlier.text == name->text)
        reporter_.report(DiagnosticKind::NameTaken, name->span, name->text)
            .label(earlier.span, "first defined here");
    instance.stage_names.push_back(*name);
    labels[i] = unique_label(name->text);
  }
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i].empty() && !pipeline.stages[i].rule.parts.empty())
      labels[i] = unique_label(snake_case(pipeline.stages[i].rule.parts.back().text));
  return labels;
}

void PipelineChecker::stages(RuleInstance& instance, const syntax::Pipeline& pipeline) {
  if (pipeline.stages.size() > CheckLimits::kMaxStages) {
    reporter_.report(DiagnosticKind::StageLimit, pipeline.stages[CheckLimits::kMaxStages].span,
                     CheckLimits::kMaxStages);
    reporter_.stop();
    return;
  }
  const std::vector<std::string> labels = stage_labels(instance, pipeline);
  std::vector<StageRange> parts;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (reporter_.stopped()) return;
    const syntax::StageRef& ref = pipeline.stages[i];
    if (ref.rule.parts.empty()) continue;
    StageInScope in_scope;
    in_scope.label = ref.label ? ref.label->text : labels[i];
    in_scope.span = ref.rule.span;
    in_scope.is_named = ref.label.has_value();
    in_scope.first_state = static_cast<std::uint32_t>(builder_.rule.states.size());
    const std::size_t first_stage = builder_.rule.stages.size();
    stage(instance, ref, labels[i]);
    parts.push_back({&ref, first_stage, builder_.rule.stages.size()});
    in_scope.end_state = static_cast<std::uint32_t>(builder_.rule.states.size());
    instance.stages.push_back(std::move(in_scope));
  }
  // A rule that is used by another is warned about where it stands.
  if (watches_ && open_rules_.size() <= 1) pipelines_.push_back(std::move(parts));
}

void PipelineChecker::stage(RuleInstance& around, const syntax::StageRef& ref,
                            const std::string& label) {
  Found found;
  if (const syntax::RuleDecl* rule = find_rule(*around.module, ref.rule, found)) {
    use(*found.module, *rule, {&ref, &around, label});
    return;
  }
  Frame frame{.module = around.module, .place = Place::Argument, .rule = &around};
  for (const syntax::Argument& argument : ref.arguments) checker_.value_in(frame, argument.value);
}

const syntax::RuleDecl* PipelineChecker::find_rule(LoadedModule& from, const syntax::Path& path,
                                                   Found& found) {
  bool reported = false;
  const std::optional<Found> result = modules_.find(from, path, reported);
  if (result) {
    found = *result;
    if (const auto* rule = found.as<syntax::RuleDecl>()) return rule;
    reporter_.report(DiagnosticKind::NotARule, path.span, path.text(), sort_of(found.decl))
        .label(name_of(found.decl).span, "defined here");
    return nullptr;
  }
  if (reported) return nullptr;
  auto report = reporter_.report(DiagnosticKind::UnknownRule, path.span, path.text());
  if (path.parts.size() == 1 && reporter_.keeps_more())
    suggest(report, reporter_, path.text(), modules_.visible_names(from));
  else if (path.parts.size() > 1)
    report.help(fmt::format("import its module: `import {}`", path.parts.front().text));
  return nullptr;
}

}  // namespace talweg::sema
