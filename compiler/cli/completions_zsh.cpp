// The script for zsh, as the file _talweg in a folder of $fpath.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/cli/completions.h"

namespace talweg::cli {

namespace {

/// Text inside [...] and between colons of what _arguments reads.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view(R"([]:\)").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string offer(const OptionFacts& option) {
  switch (option.words) {
    case Words::None:
      return " ";
    case Words::Listed:
      return fmt::format("({})", fmt::join(option.listed, " "));
    case Words::Files:
      return "_files";
    case Words::RuleFiles:
      return "_files -g \"*.tw\"";
    case Words::Folders:
      return "_files -/";
    case Words::Rules:
      return "_talweg_rules";
    case Words::RulesAndFunctions:
      return "_talweg_functions";
    case Words::Diagnostics:
      return "_talweg_diagnostics";
  }
  return " ";
}

/// What follows an option or stands in a place: ":EXPR:_talweg_rules".
std::string value_of(const OptionFacts& option) {
  const std::string what = option.words == Words::Listed ? "value" : option.value;
  return fmt::format(":{}:{}", escaped(what), offer(option));
}

/// "-r+" takes its value behind it or as the next word, "--rule=" as the next word too.
std::string with_value_mark(const std::string& name, const OptionFacts& option) {
  if (option.value.empty()) return name;
  return name + (name.starts_with("--") ? "=" : "+");
}

/// The arguments of _arguments for an option: one for each of its names.
std::string specs(const OptionFacts& option) {
  std::string text;
  const std::string value = option.value.empty() ? "" : value_of(option);
  for (const std::string& name : option.names) {
    const std::string others =
        option.may_repeat ? "*" : fmt::format("({})", fmt::join(option.names, " "));
    text += " \\\n        " +
            in_single_quotes(fmt::format("{}{}[{}]{}", others, with_value_mark(name, option),
                                         escaped(option.description), value));
  }
  if (!option.positional.empty())
    text += " \\\n        " + in_single_quotes((option.may_repeat ? "*" : "") + value_of(option));
  return text;
}

constexpr std::string_view kHelpers = R"zsh(
# The last name of a pipeline: of ClipValue(1) | Ada all but the name stays.
_talweg_rules() {{
  local -a names=(${{(f)"$({})"}})
  compset -P '*[ |=]'
  compadd -a names
}}

_talweg_functions() {{
  local -a names=(${{(f)"$({})"}})
  compset -P '*[ |=]'
  compadd -a names
}}

_talweg_diagnostics() {{
  local -a codes=(${{(f)"$(talweg explain --list 2>/dev/null | sed 's/ .*//')"}})
  compadd -a codes
}}
)zsh";

}  // namespace

std::string zsh_completions(const std::vector<CommandFacts>& commands) {
  std::string text = fmt::format(
      "#compdef talweg\n# Completions of talweg {} for zsh; made by `talweg completions zsh`.\n",
      TALWEG_VERSION);
  text += fmt::format(kHelpers, list_command(false), list_command(true));
  text +=
      "\n_talweg() {\n  local context state state_descr line\n  typeset -A opt_args\n"
      "  local -a commands=(\n";
  for (const CommandFacts& command : commands)
    if (!command.name.empty())
      text +=
          fmt::format("    {}\n", in_single_quotes(command.name + ":" + escaped(command.summary)));
  text += "  )\n  _arguments -C";
  for (const OptionFacts& option : commands.front().options) text += specs(option);
  text +=
      " \\\n        '1: :->command' '*:: :->rest'\n"
      "  case $state in\n"
      "    command) _describe -t commands command commands ;;\n"
      "    rest)\n      case $line[1] in\n";
  for (const CommandFacts& command : commands) {
    if (command.name.empty()) continue;
    text += fmt::format("      {}) _arguments -s", command.name);
    for (const OptionFacts& option : command.options) text += specs(option);
    text += " ;;\n";
  }
  text += "      esac ;;\n  esac\n}\n\n_talweg \"$@\"\n";
  return text;
}

}  // namespace talweg::cli
