// The script for bash. It needs nothing of the package bash-completion: bash hands over the words,
// with `=` and `:` as words of their own.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/cli/completions.h"

namespace talweg::cli {

namespace {

constexpr std::string_view kHelpers = R"bash(_talweg_files() {
  local IFS=$'\n'
  compopt -o filenames
  COMPREPLY=($(compgen "$@" -- "$word"))
}

# What begins like the last name of a pipeline: of 'ClipValue(1) | Ada all but the name stays.
_talweg_names() {
  local plain=${word#[\'\"]} name
  local last=${plain##*[ |=]}
  local before=${plain%"$last"}
  for name in $(compgen -W "$1" -- "$last"); do COMPREPLY+=("$before$name"); done
}

_talweg_rule_files() {
  local file
  _talweg_files -f
  local files=("${COMPREPLY[@]}")
  COMPREPLY=()
  for file in "${files[@]}"; do
    if [[ -d $file || $file == *.tw ]]; then COMPREPLY+=("$file"); fi
  done
}
)bash";

constexpr std::string_view kEnd = R"bash(
_talweg() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} command= i
  COMPREPLY=()
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    if [[ ${COMP_WORDS[i]} != -* ]]; then
      command=${COMP_WORDS[i]}
      break
    fi
  done
  if [[ $option == -* ]] && _talweg_value "$command" "$option"; then return; fi
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(_talweg_options "$command")" -- "$word"))
  else
    _talweg_place "$command"
  fi
}

complete -F _talweg talweg
)bash";

/// What fills COMPREPLY with values for an option or place; `:` where anything may stand.
std::string offer(const OptionFacts& option) {
  switch (option.words) {
    case Words::None:
      return ":";
    case Words::Listed:
      return fmt::format("COMPREPLY=($(compgen -W {} -- \"$word\"))",
                         in_single_quotes(fmt::format("{}", fmt::join(option.listed, " "))));
    case Words::Files:
      return "_talweg_files -f";
    case Words::RuleFiles:
      return "_talweg_rule_files";
    case Words::Folders:
      return "_talweg_files -d";
    case Words::Rules:
      return fmt::format("_talweg_names \"$({})\"", list_command(false));
    case Words::RulesAndFunctions:
      return fmt::format("_talweg_names \"$({})\"", list_command(true));
    case Words::Diagnostics:
      return "_talweg_names \"$(talweg explain --list 2>/dev/null | sed 's/ .*//')\"";
  }
  return ":";
}

}  // namespace

std::string bash_completions(const std::vector<CommandFacts>& commands) {
  std::string options = "_talweg_options() {\n  case $1 in\n";
  std::string values =
      "# The value of an option; false where it takes none.\n"
      "_talweg_value() {\n  case \"$1 $2\" in\n";
  std::string places = "_talweg_place() {\n  case $1 in\n";
  std::string names;
  for (const CommandFacts& command : commands) {
    std::vector<std::string> all;
    for (const OptionFacts& option : command.options) {
      all.insert(all.end(), option.names.begin(), option.names.end());
      std::vector<std::string> cases;
      for (const std::string& name : option.names)
        cases.push_back(fmt::format("'{} {}'", command.name, name));
      if (!option.value.empty() && !cases.empty())
        values += fmt::format("    {}) {} ;;\n", fmt::join(cases, " | "), offer(option));
      if (!option.positional.empty())
        places += fmt::format("    {}) {} ;;\n", command.name, offer(option));
    }
    const std::string name = command.name.empty() ? "''" : command.name;
    options += fmt::format("    {}) echo {} ;;\n", name,
                           in_single_quotes(fmt::format("{}", fmt::join(all, " "))));
    if (!command.name.empty()) names += (names.empty() ? "" : " ") + command.name;
  }
  options += "  esac\n}\n";
  values += "    *) return 1 ;;\n  esac\n}\n";
  places +=
      fmt::format("    '') COMPREPLY=($(compgen -W '{}' -- \"$word\")) ;;\n  esac\n}}\n", names);
  return fmt::format(
      "# Completions of talweg {} for bash; made by `talweg completions bash`.\n{}\n{}\n{}\n{}{}",
      TALWEG_VERSION, kHelpers, options, values, places, kEnd);
}

}  // namespace talweg::cli
