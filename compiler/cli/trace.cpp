// talweg trace: a rule on a test function, its trajectory as CSV (or JSON lines) on stdout.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/interrupt.h"
#include "compiler/cli/lists.h"
#include "compiler/cli/subcommands.h"
#include "compiler/cli/trace_run.h"
#include "runtime/support/file_io.h"
#include "runtime/train/test_functions.h"
#include "runtime/train/trajectory.h"

namespace talweg::cli {

namespace {

struct Options {
  RuleOptions rule;
  TraceSettings trace;
  std::uint64_t every = 1;
  std::string out;
  bool json = false;
};

std::string json_line(const TracePoint& point) {
  const nlohmann::ordered_json json = {
      {"step", point.step}, {"value", point.value}, {"x", point.parameters}};
  return json.dump() + "\n";
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const train::TestFunction& function : train::test_functions())
    names.emplace_back(function.name);
  return names;
}

int run(Options& o) {
  Compilation compilation(o.rule.include_dirs);
  auto compiled = compile_rule(compilation, o.rule);
  if (!compiled) return report("trace", compiled.failure());
  o.trace.settings = o.rule.settings;
  const InterruptGuard interrupt;
  std::string text;
  const auto on_point = [&](const TracePoint& point) {
    if (!o.json && point.step == 0) text += train::trajectory_header(point.parameters.size());
    if (point.step % o.every == 0 || point.step == o.trace.steps)
      text += o.json ? json_line(point) : train::trajectory_line(point);
    constexpr std::size_t kFlushBytes = 1 << 16;
    if (o.out.empty() && text.size() >= kFlushBytes) {
      print(text);
      text.clear();
    }
    return !interrupt.flag() && std::ferror(stdout) == 0;
  };
  const auto traced = run_trace(o.trace, compiled->program, on_point);
  if (o.out.empty()) {
    print(text);
  } else if (auto written = support::write_file_atomically(o.out, text); !written) {
    return report("trace", written.failure());
  }
  return traced ? static_cast<int>(kOk) : report("trace", traced.failure());
}

}  // namespace

std::function<int()> declare_trace(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->rule.dtype = "float64";
  declare_rule(app, options->rule);
  app.add_option("-f,--function", options->trace.function, "Test function")
      ->check(known_words(function_names()))
      ->required();
  add_list(app, "--start", options->trace.start,
           "Start point: --start=-1.5,2; default: the function's own");
  app.add_option("--view", options->trace.view,
                 "Show the points of this view of the rule, not the parameters")
      ->type_name("NAME")
      ->check(not_empty());
  app.add_option("-n,--steps", options->trace.steps, "Steps")
      ->check(count_from(0))
      ->capture_default_str();
  app.add_option("--every", options->every, "Print every so many steps")
      ->check(count_from(1))
      ->capture_default_str();
  app.add_option("-o,--out", options->out, "CSV file; default: stdout")
      ->check(not_empty())
      ->type_name("FILE");
  app.add_flag("--json", options->json, "JSON lines instead of CSV");
  app.footer(
      "Example:\n  talweg trace --rule 'Adam(lr = 0.05)' --function rosenbrock --steps 500 --every "
      "100");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
