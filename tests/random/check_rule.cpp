#include "tests/random/check_rule.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "compiler/base/diagnostic_render.h"
#include "compiler/ir/text.h"
#include "compiler/ir/verify.h"
#include "compiler/passes/pass.h"
#include "compiler/syntax/format.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/print.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/whole_step.h"
#include "tests/random/coverage.h"
#include "tests/random/run_rule.h"

namespace talweg::tests {

namespace {

using types::ComputeType;

struct FrontEnd {
  std::optional<ir::Graph> graph;
  std::string errors;
  RuleText printed;  // from the trees
};

FrontEnd compile_text(const RuleText& text) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules({{}, driver::find_stdlib()}, sources, diagnostics);
  FrontEnd result;
  const auto add = [&](const char* name, const std::string& module) {
    const std::string file = std::string(name) + ".tw";
    const base::SourceId source = sources.add(file, module);
    syntax::Module tree = syntax::parse_module(source, sources, diagnostics);
    const std::string printed = syntax::print(tree);
    modules.add(name, file, std::move(tree));
    return printed;
  };
  if (!text.library.empty()) result.printed.library = add("n", text.library);
  result.printed.module = add("m", text.module);
  result.printed.expression = text.expression;
  if (!diagnostics.has_errors() && sema::check_module(modules, "m"))
    if (auto front = driver::analyze_rule(modules, sources, diagnostics, text.expression, "m"))
      result.graph = std::move(front->graph);
  if (!result.graph) result.errors = base::render_text(diagnostics, sources, false);
  return result;
}

std::string check_text(const ir::Graph& graph) {
  const std::string text = ir::print(graph);
  const auto again = ir::read_graph(text);
  if (const auto* error = std::get_if<ir::ReadError>(&again))
    return fmt::format("line {} of the graph's text: {}\n{}", error->line, error->message, text);
  if (ir::print(std::get<ir::Graph>(again)) != text)
    return "the graph reads back as another one:\n" + text;
  return {};
}

/// The text of the tree means the same, and is the text of its own tree.
std::string check_printed(const FrontEnd& front) {
  const FrontEnd again = compile_text(front.printed);
  if (!again.graph) return "the text of the tree is refused:\n" + again.errors;
  if (again.printed.module != front.printed.module ||
      again.printed.library != front.printed.library)
    return "the text of the tree is another tree's:\n" + front.printed.module;
  if (ir::print(*again.graph) != ir::print(*front.graph))
    return "the text of the tree means something else:\n" + front.printed.module;
  return {};
}

/// `talweg fmt` keeps the tree, and changes nothing the second time.
std::string check_layout(const std::string& module) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const auto tree = [&](const std::string& text) {
    return syntax::print(syntax::parse_module(sources.add("m.tw", text), sources, diagnostics));
  };
  const auto once = syntax::format(sources.add("m.tw", module), sources, diagnostics);
  if (!once) return "the layout is refused:\n" + base::render_text(diagnostics, sources, false);
  const auto twice = syntax::format(sources.add("m.tw", *once), sources, diagnostics);
  if (twice != once) return "a second layout differs from the first:\n" + *once;
  if (tree(*once) != tree(module)) return "the layout changes the tree:\n" + *once;
  return {};
}

/// Interprets before and after each pass, over a few tensors.
std::string check_passes(ir::Graph graph, std::uint64_t seed) {
  for (const passes::Pass& pass : passes::pipeline()) {
    const ir::Graph after = pass.run(graph);
    const auto faults = ir::find_faults(after);
    if (!faults.empty())
      return fmt::format("pass {}: {}\n{}", pass.name, faults.front().message, ir::print(after));
    for (const ComputeType compute : {ComputeType::F32, ComputeType::F64}) {
      Random random(seed);
      for (int i = 0; i < 3; ++i) {
        const StepCase step = random_step(graph, compute, random);
        if (!same(outcome(graph, compute, step), outcome(after, compute, step)))
          return fmt::format("pass {} changes a value in {}; before:\n{}after:\n{}", pass.name,
                             types::to_text(compute), ir::print(graph), ir::print(after));
      }
    }
    graph = after;
  }
  return check_text(graph);
}

std::shared_ptr<support::ThreadPool> pool_of(std::uint32_t threads) {
  static std::map<std::uint32_t, std::shared_ptr<support::ThreadPool>> pools;
  auto& pool = pools[threads];
  if (!pool) pool = std::make_shared<support::ThreadPool>(threads);
  return pool;
}

std::string check_targets(const ir::Graph& graph, const Setting& setting,
                          const CheckOptions& options, Outcome& outcome) {
  const auto interpreter = driver::make_interpreter(graph, setting.compute);
  const Trace expected = run_rule(interpreter->image(), setting, nullptr, true);
  for (const Section& section : expected) {
    outcome.was_refused |= section.name.ends_with("the step");
    if (!section.feature.empty()) outcome.features.insert(section.feature);
    outcome.values += section.values.size();
    for (const double value : section.values) outcome.finite_values += std::isfinite(value) ? 1 : 0;
  }
  ir::Graph compiled = graph;
  if (options.plant) options.plant(compiled);
  for (const std::string& isa : options.isas) {
    const auto program = options.compile(compiled, setting.compute, isa);
    if (!program) return program.failure().message;
    // Small settings run on one thread whatever the pool has.
    const std::vector<std::uint32_t> threads =
        setting.is_large ? options.threads : std::vector<std::uint32_t>{1};
    for (const std::uint32_t count : threads) {
      const Trace actual = run_rule((*program)->image(), setting, pool_of(count), false);
      const Difference difference = first_difference(expected, actual);
      if (difference.what.empty()) continue;
      return fmt::format("{}, {}, {} threads: {}\n{}", isa, types::to_text(setting.compute), count,
                         difference.what,
                         describe_inputs((*program)->image(), setting, difference.element));
    }
  }
  return {};
}

}  // namespace

support::Result<std::shared_ptr<driver::Program>> compile_here(const ir::Graph& graph,
                                                               types::ComputeType compute,
                                                               const std::string& isa) {
  driver::CompileOptions how;
  how.compute = compute;
  how.isa = isa;
  how.use_cache = false;
  return driver::compile(graph, how);
}

Example draw_example(Choices& choices) {
  Example example;
  example.setting = draw_setting(choices);
  example.rule = write_rule(choices);
  return example;
}

Outcome check_text_of(const Example& example) {
  const FrontEnd front = compile_text(example.rule);
  if (!front.graph) return {.fault = front.errors, .features = {}};
  Outcome outcome{.fault = {}, .features = features_of(*front.graph)};
  outcome.features.insert(example.rule.features.begin(), example.rule.features.end());
  return outcome;
}

Outcome check_example(const Example& example, const CheckOptions& options) {
  Outcome outcome;
  const FrontEnd front = compile_text(example.rule);
  outcome.fault = front.errors;
  if (!front.graph) return outcome;
  outcome.features = features_of(*front.graph);
  outcome.features.insert(example.rule.features.begin(), example.rule.features.end());
  outcome.fault = check_printed(front);
  for (const std::string& module : {example.rule.library, example.rule.module})
    if (outcome.fault.empty()) outcome.fault = check_layout(module);
  if (outcome.fault.empty()) outcome.fault = check_text(*front.graph);
  if (outcome.fault.empty()) outcome.fault = check_passes(*front.graph, example.setting.seed);
  Setting setting = example.setting;
  if (outcome.fault.empty()) outcome.fault = check_targets(*front.graph, setting, options, outcome);
  if (outcome.fault.empty() && options.both_types) {
    setting.compute = setting.compute == ComputeType::F32 ? ComputeType::F64 : ComputeType::F32;
    outcome.fault = check_targets(*front.graph, setting, options, outcome);
  }
  return outcome;
}

std::string describe(const Example& example) {
  const std::string library =
      example.rule.library.empty() ? "" : example.rule.library + "---- module n; module m:\n";
  return fmt::format("{}{}rule expression: {}\n{}\n", library, example.rule.module,
                     example.rule.expression, describe(example.setting));
}

Choices choices_of_example(std::uint64_t n) { return Choices(counter_random(0x7a1, n)); }

}  // namespace talweg::tests
