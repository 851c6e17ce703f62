// The script for fish.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/cli/completions.h"

namespace talweg::cli {

namespace {

/// fish knows \\ and \' inside single quotes.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') result += '\\';
    result += c;
  }
  return result + "'";
}

/// What is offered as a value: arguments of `complete`.
std::string offer(const OptionFacts& option) {
  switch (option.words) {
    case Words::None:
      return "";
    case Words::Listed:
      return " -a " + quoted(fmt::format("{}", fmt::join(option.listed, " ")));
    case Words::Files:
      return " -F";  // where -f was said for all
    case Words::RuleFiles:
      return " -k -a '(__fish_complete_suffix .tw)'";
    case Words::Folders:
      return " -a '(__fish_complete_directories)'";
    case Words::Rules:
      return " -a '(__talweg_rules)'";
    case Words::RulesAndFunctions:
      return " -a '(__talweg_functions)'";
    case Words::Diagnostics:
      return " -a '(talweg explain --list 2>/dev/null | sed \"s/ .*//\")'";
  }
  return "";
}

std::string line(const std::string& condition, const OptionFacts& option) {
  std::string names;
  for (const std::string& name : option.names)
    names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  std::string text;
  const std::string values = option.value.empty() ? "" : offer(option);
  if (!names.empty())
    text += fmt::format("complete -c talweg -n {}{}{}{} -d {}\n", condition, names,
                        option.value.empty()           ? ""
                        : option.words == Words::Files ? " -r"
                                                       : " -x",
                        values, quoted(option.description));
  if (!option.positional.empty() && !values.empty())
    text += fmt::format("complete -c talweg -n {}{}\n", condition, values);
  return text;
}

}  // namespace

std::string fish_completions(const std::vector<CommandFacts>& commands) {
  std::string text = fmt::format(
      "# Completions of talweg {} for fish; made by `talweg completions fish`.\n"
      "function __talweg_rules\n  {}\nend\n"
      "function __talweg_functions\n  {}\nend\n"
      "complete -c talweg -f\n",
      TALWEG_VERSION, list_command(false), list_command(true));
  for (const CommandFacts& command : commands) {
    const std::string condition = command.name.empty()
                                      ? "__fish_use_subcommand"
                                      : quoted("__fish_seen_subcommand_from " + command.name);
    if (!command.name.empty())
      text += fmt::format("\ncomplete -c talweg -n __fish_use_subcommand -a {} -d {}\n",
                          command.name, quoted(command.summary));
    for (const OptionFacts& option : command.options) text += line(condition, option);
  }
  return text;
}

}  // namespace talweg::cli
