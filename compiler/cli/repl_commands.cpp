// The commands of the REPL, which start with a colon.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "compiler/base/diagnostics.h"
#include "compiler/cli/repl_session.h"
#include "compiler/cli/trace_run.h"
#include "compiler/sema/typed_rule.h"
#include "compiler/types/interval.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

struct ReplSession::Command {
  std::string_view name;
  std::string_view arguments;
  std::string_view summary;
  Reply (ReplSession::*run)(std::string_view argument);
};

const std::vector<ReplSession::Command>& ReplSession::commands() {
  static const std::vector<Command> table = {
      {"help", "", "this list", &ReplSession::help},
      {"run", "RULE [on FUNCTION] [steps N] [from X,Y]", "the rule on a test function, as numbers",
       &ReplSession::run},
      {"show", "RULE", "the rule with the rate of every value", &ReplSession::show},
      {"list", "", "what was defined here", &ReplSession::list},
      {"load", "FILE.tw", "take over the definitions of a file", &ReplSession::load},
      {"save", "FILE.tw", "write what was defined here to a file", &ReplSession::save},
      {"dtype", "float32|float64", "the type runs compute in", &ReplSession::set_dtype},
      {"explain", "TW0201", "a diagnostic at length", &ReplSession::explain},
      {"quit", "", "leave (also Ctrl-D)", &ReplSession::quit},
  };
  return table;
}

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// Takes " word VALUE" off the end of `text`; VALUE is what follows the last such word.
std::string take_option(std::string_view& text, std::string_view word) {
  const std::string key = fmt::format(" {} ", word);
  const std::size_t at = text.rfind(key);
  if (at == std::string_view::npos) return {};
  const std::string value(trimmed(text.substr(at + key.size())));
  text = trimmed(text.substr(0, at));
  return value;
}

/// "1.5,-2" as numbers; empty if it is not a list of numbers.
std::vector<double> parse_point(std::string_view text) {
  std::vector<double> point;
  while (!text.empty()) {
    const std::string_view part = trimmed(text.substr(0, text.find(',')));
    double value = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (stop != part.data() + part.size() || error != std::errc{}) return {};
    point.push_back(value);
    text.remove_prefix(std::min(
        text.size(), text.find(',') == std::string_view::npos ? text.size() : text.find(',') + 1));
  }
  return point;
}

std::string table_header(std::size_t dimensions) {
  std::string line = fmt::format("{:>8}  {:>14}", "step", "value");
  for (std::size_t i = 0; i < dimensions; ++i)
    line += fmt::format("  {:>14}", fmt::format("x{}", i));
  return line + "\n";
}

std::string table_line(const TracePoint& point) {
  std::string line = fmt::format("{:>8}  {:>14.8g}", point.step, point.value);
  for (const double x : point.parameters) line += fmt::format("  {:>14.8g}", x);
  return line + "\n";
}

}  // namespace

ReplSession::Reply ReplSession::run_command(std::string_view line) {
  line = trimmed(line);
  const std::string_view name = line.substr(0, line.find_first_of(" \t"));
  const std::string_view argument = trimmed(line.substr(name.size()));
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == name) return (this->*command.run)(argument);
    names.emplace_back(command.name);
  }
  const std::string near = base::nearest_name(name, names);
  return failed(
      fmt::format("there is no command :{}; {}\n", name,
                  near.empty() ? ":help lists them" : fmt::format("did you mean :{}?", near)));
}

ReplSession::Reply ReplSession::help(std::string_view) {
  Reply reply;
  reply.output =
      "Type a rule, a function or a constant to define it (again), or an expression to see its "
      "value.\n"
      "An open bracket continues on the next line; an empty line ends the input.\n\n";
  for (const Command& command : commands())
    reply.output += fmt::format(
        "  :{:<50} {}\n", fmt::format("{} {}", command.name, command.arguments), command.summary);
  reply.output +=
      "\nExample:\n"
      "  rule Sign { hyper lr = 0.01 in [0, inf)\n"
      "    step { update = lr * sign(grad) } }\n"
      "  :run Sign(lr = 0.05) on himmelblau steps 100\n";
  return reply;
}

ReplSession::Reply ReplSession::list(std::string_view) {
  Reply reply;
  reply.output = definitions_.empty() ? "nothing yet\n" : program_text(definitions_);
  return reply;
}

ReplSession::Reply ReplSession::show(std::string_view argument) {
  if (argument.empty()) return failed(":show needs a rule, e.g. :show AdamW\n");
  auto compilation = compile_definitions(definitions_);
  const auto front_end =
      driver::analyze_rule(*compilation->modules, compilation->sources, compilation->diagnostics,
                           std::string(argument), "repl");
  if (!front_end) return failed(rendered(*compilation));
  Reply reply;
  reply.output = sema::print(front_end->rule);
  return reply;
}

ReplSession::Reply ReplSession::run(std::string_view argument) {
  TraceSettings settings;
  std::string_view rule = argument;
  const std::string from = take_option(rule, "from"), steps = take_option(rule, "steps");
  settings.function = take_option(rule, "on");
  if (settings.function.empty()) settings.function = "rosenbrock";
  settings.start = parse_point(from);
  if (!from.empty() && settings.start.empty())
    return failed(fmt::format("'{}' is no point; write from 1.5,-2\n", from));
  if (!steps.empty()) {
    const char* end = steps.data() + steps.size();
    const auto [stop, error] = std::from_chars(steps.data(), end, settings.steps);
    if (stop != end || error != std::errc{})
      return failed(fmt::format("'{}' is no number of steps; write steps 100\n", steps));
  }
  if (rule.empty())
    return failed(":run needs a rule, e.g. :run AdamW(lr = 0.1) on rosenbrock steps 100\n");

  auto compilation = compile_definitions(definitions_);
  const auto front_end = driver::analyze_rule(*compilation->modules, compilation->sources,
                                              compilation->diagnostics, std::string(rule), "repl");
  if (!front_end) return failed(rendered(*compilation));
  driver::CompileOptions options;
  options.compute = *types::compute_type_from_text(dtype_);
  const auto program = driver::compile(front_end->graph, options);
  if (!program) return failed(program.failure().message + "\n");

  constexpr std::uint64_t kRows = 10;
  const std::uint64_t every = std::max<std::uint64_t>(1, settings.steps / kRows);
  Reply reply;
  const auto traced = run_trace(settings, *program, [&](const TracePoint& point) {
    if (point.step == 0) reply.output += table_header(point.parameters.size());
    if (point.step % every == 0 || point.step == settings.steps) reply.output += table_line(point);
    return !stop_->load();
  });
  if (stop_->load()) reply.error = "interrupted\n";
  if (!traced) {
    had_errors_ = true;
    reply.error = traced.failure().message + "\n";
  }
  return reply;
}

ReplSession::Reply ReplSession::load(std::string_view argument) {
  auto text = support::read_file(std::string(argument));
  if (!text) return failed(text.failure().message + "\n");
  return evaluate(*text);
}

ReplSession::Reply ReplSession::save(std::string_view argument) {
  if (argument.empty()) return failed(":save needs a file, e.g. :save mine.tw\n");
  const auto written =
      support::write_file_atomically(std::string(argument), program_text(definitions_));
  if (!written) return failed(written.failure().message + "\n");
  Reply reply;
  reply.output = fmt::format("wrote {}\n", argument);
  return reply;
}

ReplSession::Reply ReplSession::set_dtype(std::string_view argument) {
  const auto type = types::compute_type_from_text(argument);
  if (!type) return failed(fmt::format("'{}' is neither float32 nor float64\n", argument));
  dtype_ = std::string(types::to_text(*type));
  Reply reply;
  reply.output = fmt::format("runs compute in {}\n", dtype_);
  return reply;
}

ReplSession::Reply ReplSession::explain(std::string_view argument) {
  for (const base::DiagnosticInfo& row : base::diagnostic_table()) {
    if (argument != base::code_text(row.kind)) continue;
    Reply reply;
    reply.output = fmt::format("{}\n", row.explanation);
    return reply;
  }
  return failed(fmt::format("there is no diagnostic '{}'; write it as in TW0201\n", argument));
}

ReplSession::Reply ReplSession::quit(std::string_view) {
  Reply reply;
  reply.quit = true;
  return reply;
}

}  // namespace talweg::cli
