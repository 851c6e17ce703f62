// talweg replay CASE.json...: reference cases through a rule, compared within each case's own
// tolerance.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/lists.h"
#include "compiler/cli/replay_rules.h"
#include "compiler/cli/replay_run.h"
#include "compiler/cli/subcommands.h"
#include "compiler/types/interval.h"

namespace talweg::cli {

namespace {

struct Options {
  RuleOptions rule;
  std::vector<std::string> cases;
  std::string states;
  std::vector<std::size_t> tensors;  // all if empty
  bool json = false;
};

std::string place_text(const Worst& worst) {
  if (worst.error == 0) return worst.what + ": no difference";
  return fmt::format("{}: {:.2e} at step {}, tensor {}, element {} ({} here, {} there)", worst.what,
                     worst.error, worst.step, worst.tensor, worst.element,
                     types::number_text(worst.ours), types::number_text(worst.truth));
}

std::string text_of(const ReplayCase& reference, const Options& options, const Place& place,
                    const std::string& rule, const ReplayResult& result) {
  std::string text =
      fmt::format("{}: {} ({}, {}; {} numbers, tolerance {:g})\n  rule {}\n", reference.name,
                  result.agrees() ? "agrees" : "DIFFERS", options.rule.dtype,
                  place.is_gpu() ? place.device : options.rule.backend, result.compared,
                  result.tolerance, rule);
  for (const Worst& worst : result.worst) text += "  " + place_text(worst) + "\n";
  return text;
}

std::string json_of(const ReplayCase& reference, const Options& options, const Place& place,
                    const std::string& rule, const ReplayResult& result) {
  nlohmann::ordered_json json = {{"case", reference.name},
                                 {"rule", rule},
                                 {"dtype", options.rule.dtype},
                                 {"backend", options.rule.backend},
                                 {"isa", place.is_gpu() ? place.isa : options.rule.isa},
                                 {"device", place.device},
                                 {"agrees", result.agrees()},
                                 {"tolerance", result.tolerance},
                                 {"compared", result.compared}};
  // JSON has no infinities: they are texts, as in the cases.
  const auto number = [](double value) {
    return std::isfinite(value) ? nlohmann::ordered_json(value)
                                : nlohmann::ordered_json(types::number_text(value));
  };
  json["largest"] = nlohmann::ordered_json::array();
  for (const Worst& worst : result.worst)
    json["largest"].push_back({{"what", worst.what},
                               {"error", number(worst.error)},
                               {"step", worst.step},
                               {"tensor", worst.tensor},
                               {"element", worst.element},
                               {"ours", number(worst.ours)},
                               {"truth", number(worst.truth)}});
  return json.dump() + "\n";
}

/// The rule of a case: the one given with the states named, or the table's.
support::Result<CaseRule> chosen_rule(const ReplayCase& reference, const Options& options) {
  if (options.rule.rule.empty()) return rule_of_case(reference);
  CaseRule rule{options.rule.rule, states_of(options.states)};
  for (const NamedState& named : rule.states)
    if (std::ranges::none_of(reference.trajectory.states,
                             [&](const CaseState& state) { return state.name == named.theirs; }))
      return support::Failure{
          support::FailureKind::Usage,
          fmt::format("case `{}` has no state `{}`", reference.name, named.theirs)};
  return rule;
}

support::Result<bool> replay_file(const std::string& path, const Options& options,
                                  const std::shared_ptr<support::ThreadPool>& pool) {
  auto reference = read_case(path);
  if (reference && !options.tensors.empty()) reference = only_tensors(*reference, options.tensors);
  if (!reference) return reference.failure();
  const auto rule = chosen_rule(*reference, options);
  if (!rule) return rule.failure();
  Compilation compilation(options.rule.include_dirs);
  RuleOptions with_rule = options.rule;
  with_rule.rule = rule->rule;
  const auto compiled = compile_rule(compilation, with_rule);
  if (!compiled) return compiled.failure();
  const auto result = replay(*reference, {compiled->program, rule->states, options.rule.settings,
                                          pool, compiled->place.make_core});
  if (!result) return result.failure();
  print(options.json ? json_of(*reference, options, compiled->place, rule->rule, *result)
                     : text_of(*reference, options, compiled->place, rule->rule, *result));
  return result->agrees();
}

int run(const Options& options) {
  const auto pool = std::make_shared<support::ThreadPool>(thread_count(options.rule.threads));
  int code = kOk;
  for (const std::string& path : options.cases) {
    const auto agrees = replay_file(path, options, pool);
    const int ended = !agrees   ? report("replay", agrees.failure())
                      : *agrees ? kOk
                                : kNumericFailure;
    if (code == kOk) code = ended;
  }
  return code;
}

}  // namespace

std::function<int()> declare_replay(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->rule.dtype = "float64";
  declare_rule(app, options->rule);
  declare_device(app, options->rule.device);
  app.get_option("--rule")->required(false)->description(
      "Rule or pipeline; default: the library's for the case's family and hyperparameters");
  app.add_option("cases", options->cases, "Reference cases (.json or .json.gz)")
      ->required()
      ->type_name("CASE");
  app.add_option(
         "--states", options->states,
         "With --rule: final states to compare, the case's names and the rule's: 'm v=square "
         "b=-velocity a=v/r' (-: with the other sign; /: that of these which a tensor keeps)")
      ->needs(app.get_option("--rule"));
  add_list(app, "--tensors", options->tensors,
           "Only these tensors of a case, counted from 0: 0,1 (default: all)")
      ->allow_extra_args(false)
      ->type_name("INDEX");
  app.add_flag("--json", options->json, "One JSON object a case a line on stdout");
  app.footer("Exit status 4 if a case differs by more than its tolerance.");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
