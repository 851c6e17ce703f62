// talweg dump --stage STAGE --rule EXPR: a rule as it looks between two steps of its compilation.
#include <fmt/format.h>

#include <memory>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/subcommands.h"
#include "compiler/driver/stages.h"

namespace talweg::cli {

namespace {

struct Options {
  RuleOptions rule;
  std::string stage = "graph";
};

std::string stage_names() {
  std::string names;
  for (const driver::Stage& stage : driver::stages())
    names += fmt::format("\n  {:<8} {}", stage.name, stage.summary);
  return names;
}

int run(const Options& o) {
  if (!o.rule.settings.empty())
    return report("dump", {support::FailureKind::Usage,
                           "--set changes no code; give the value in the rule: AdamW(lr = 0.1)"});
  Compilation compilation(o.rule.include_dirs);
  const driver::StageSource source{
      *compilation.modules, compilation.sources, compilation.diagnostics, o.rule.rule, {}};
  const auto text = driver::dump_stage(o.stage, source, compile_options(o.rule));
  if (!compilation.print_diagnostics(false)) return kProgramWrong;
  if (!text) return report("dump", text.failure());
  print(*text);
  return kOk;
}

}  // namespace

std::function<int()> declare_dump(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_rule(app, options->rule);
  std::vector<std::string> words;
  for (const driver::Stage& stage : driver::stages()) words.emplace_back(stage.name);
  app.add_option("-s,--stage", options->stage,
                 "What to print, one of the stages below, or passes:NAME")
      ->check(known_words(words))
      ->capture_default_str();
  app.footer("Stages:" + stage_names());
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
