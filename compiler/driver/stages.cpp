// The table of stages, and the text of each; see stages.h.
#include "compiler/driver/stages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "compiler/driver/generate.h"
#include "compiler/ir/text.h"
#include "compiler/passes/pass.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/print.h"

namespace talweg::driver {

namespace {

using support::Failure;
using support::FailureKind;
using Text = support::Result<std::string>;

Failure rule_has_errors() { return {FailureKind::Program, "the rule has errors"}; }

Text dump_syntax(const StageSource& source, const CompileOptions&) {
  const base::SourceId id = source.sources.add("--rule", source.rule_text);
  const syntax::Module module = syntax::parse_pipeline(id, source.sources, source.diagnostics);
  if (source.diagnostics.has_errors()) return rule_has_errors();
  return syntax::print(module);
}

std::optional<FrontEnd> analyze(const StageSource& source) {
  return analyze_rule(source.modules, source.sources, source.diagnostics, source.rule_text,
                      source.from_module);
}

Text dump_typed(const StageSource& source, const CompileOptions&) {
  const auto front_end = analyze(source);
  return front_end ? Text(sema::print(front_end->rule)) : Text(rule_has_errors());
}

Text dump_graph(const StageSource& source, const CompileOptions&) {
  const auto front_end = analyze(source);
  return front_end ? Text(ir::print(front_end->graph)) : Text(rule_has_errors());
}

Text dump_passes(const StageSource& source, const CompileOptions&) {
  auto front_end = analyze(source);
  if (!front_end) return rule_has_errors();
  std::string text;
  passes::run_passes(std::move(front_end->graph),
                     [&](std::string_view name, const ir::Graph& graph) {
                       text += fmt::format("// after {}\n{}\n", name, ir::print(graph));
                     });
  return text;
}

/// The graph after the pass (the last one of that name, if it runs several times).
Text dump_after_pass(std::string_view pass, const StageSource& source) {
  if (passes::find_pass(pass) == nullptr) {
    std::vector<std::string_view> names;
    for (const passes::Pass& known : passes::pipeline())
      if (std::ranges::find(names, known.name) == names.end()) names.push_back(known.name);
    return Failure{FailureKind::Usage,
                   fmt::format("unknown pass `{}`; known: {}", pass, fmt::join(names, ", "))};
  }
  auto front_end = analyze(source);
  if (!front_end) return rule_has_errors();
  std::string text;
  passes::run_passes(std::move(front_end->graph),
                     [&](std::string_view name, const ir::Graph& graph) {
                       if (name == pass) text = ir::print(graph);
                     });
  return text;
}

/// What a rule is planned to do, for stages after that.
support::Result<plan::Plan> plan_rule(const StageSource& source, const CompileOptions& options) {
  auto front_end = analyze(source);
  if (!front_end) return rule_has_errors();
  return plan::make_plan(passes::run_passes(std::move(front_end->graph)), options.compute);
}

Text dump_plan(const StageSource& source, const CompileOptions& options) {
  const auto plan = plan_rule(source, options);
  return plan ? Text(plan::print(*plan)) : Text(plan.failure());
}

Text dump_code(const StageSource& source, const CompileOptions& options,
               std::string (*generate_text)(const plan::Plan&, const targets::Target&)) {
  // Code can be looked at on machines that do not run it.
  const targets::Target* target = targets::find_target(options.isa);
  if (target == nullptr) {
    const auto chosen = choose_target(options.isa);
    if (!chosen) return chosen.failure();
    target = *chosen;
  }
  const auto plan = plan_rule(source, options);
  if (!plan) return plan.failure();
  return generate_text(*plan, *target);
}

Text dump_llvm(const StageSource& source, const CompileOptions& options) {
  return dump_code(source, options, generate_llvm_text);
}

Text dump_asm(const StageSource& source, const CompileOptions& options) {
  return dump_code(source, options, [](const plan::Plan& plan, const targets::Target& target) {
    return generate(plan, target, targets::CodeKind::Assembly);
  });
}

struct Row {
  Stage stage;
  Text (*dump)(const StageSource&, const CompileOptions&);
};

constexpr std::array<Row, 7> kRows{{
    {{"syntax", "the expression, parsed"}, dump_syntax},
    {{"typed", "all stages with names resolved and every rate known"}, dump_typed},
    {{"graph", "the step as values; what the interpreter runs"}, dump_graph},
    {{"passes", "the graph after each pass; passes:NAME for one"}, dump_passes},
    {{"plan", "passes over memory: what is read, computed and written where"}, dump_plan},
    {{"llvm", "LLVM's intermediate language"}, dump_llvm},
    {{"asm", "assembly of the chosen machine"}, dump_asm},
}};

constexpr auto kStages = [] {
  std::array<Stage, kRows.size()> list{};
  for (std::size_t i = 0; i < kRows.size(); ++i) list[i] = kRows[i].stage;
  return list;
}();

constexpr std::string_view kOnePass = "passes:";

}  // namespace

std::span<const Stage> stages() { return kStages; }

Text dump_stage(std::string_view stage, const StageSource& source, const CompileOptions& options) {
  if (stage.starts_with(kOnePass)) return dump_after_pass(stage.substr(kOnePass.size()), source);
  for (const Row& row : kRows)
    if (row.stage.name == stage) return row.dump(source, options);
  std::vector<std::string_view> names;
  for (const Stage& known : kStages) names.push_back(known.name);
  return Failure{FailureKind::Usage,
                 fmt::format("unknown stage `{}`; known: {}", stage, fmt::join(names, ", "))};
}

}  // namespace talweg::driver
