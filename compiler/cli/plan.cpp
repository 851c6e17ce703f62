// talweg plan RULE: how a step of a rule runs, in words: phases, passes over memory, bytes.
#include "compiler/plan/plan.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/measure_bandwidth.h"
#include "compiler/cli/subcommands.h"
#include "compiler/passes/pass.h"
#include "compiler/plan/plan_text.h"

namespace talweg::cli {

namespace {

struct Options {
  RuleOptions rule;
  bool json = false;
  bool measure = false;
};

int run(const Options& o) {
  if (!o.rule.settings.empty())
    return report("plan", {support::FailureKind::Usage,
                           "--set changes no plan; give the value in the rule: AdamW(lr = 0.1)"});
  if (o.rule.rule.find_first_not_of(" \t\r\n") == std::string::npos)
    return report("plan", {support::FailureKind::Usage,
                           "RULE is empty; it is a rule or pipeline, e.g. 'Lookahead | AdamW'"});
  Compilation compilation(o.rule.include_dirs);
  auto front_end = driver::analyze_rule(*compilation.modules, compilation.sources,
                                        compilation.diagnostics, o.rule.rule);
  if (!compilation.print_diagnostics(false) || !front_end) return kProgramWrong;
  plan::Description description = plan::describe(plan::make_plan(
      passes::run_passes(std::move(front_end->graph)), compile_options(o.rule).compute));
  plan::MeasuredBandwidth bandwidth;
  if (o.measure) {
    bandwidth.threads = thread_count(o.rule.threads);
    bandwidth.bytes_per_second = measure_bandwidth(bandwidth.threads);
  }
  const plan::MeasuredBandwidth* measured = o.measure ? &bandwidth : nullptr;
  print(o.json ? plan::plan_json(description, measured).dump() + "\n"
               : plan::plan_text(description, measured, wants_color(stdout)));
  return kOk;
}

}  // namespace

std::function<int()> declare_plan(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("rule,-r,--rule", options->rule.rule,
                 "Rule or pipeline, e.g. 'mine.Clipped | AdamW(lr = 0.01)'")
      ->type_name("EXPR")
      ->required();
  declare_include(app, options->rule.include_dirs);
  declare_settings(app, options->rule.settings);
  declare_dtype(app, options->rule.dtype);
  app.add_flag("--json", options->json, "The plan as one JSON object");
  auto* measure = app.add_flag(
      "--measure", options->measure,
      "Measure for 0.2 s how fast this machine moves memory, and say how long a step would take");
  app.add_option("--threads", options->rule.threads, "Threads that measure; 0: one a core")
      ->check(CLI::Range(0u, 1024u))
      ->needs(measure)
      ->capture_default_str();
  app.footer("Example:\n  talweg plan 'AdamW | Lookahead' --dtype float64");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
