#include "compiler/cli/command_line.h"

#include <array>
#include <string_view>

#include "compiler/cli/subcommands.h"

namespace talweg::cli {

CommandLine::CommandLine()
    : app("talweg: a compiled language for deep-learning optimizers", "talweg") {
  app.set_version_flag("--version", "talweg " TALWEG_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Each command has --help. Exit codes: 0 ok, 1 the rule is wrong, 2 usage, 3 files and I/O,\n"
      "4 numeric failure, 70 a bug in talweg.");
  for (const Subcommand& row : subcommands()) {
    CLI::App* command = app.add_subcommand(row.name, row.summary);
    commands.emplace_back(command, row.declare(*command));
  }
}

namespace {

/// What stands for a value in --help says what may be completed there.
Words words_of(std::string_view value) {
  static constexpr std::array<std::pair<std::string_view, Words>, 9> kTable = {{
      {"FILE", Words::Files},
      {"CASE", Words::Files},
      {"RUN", Words::Files},
      {"RULES.tw", Words::RuleFiles},
      {"DIR", Words::Folders},
      {"EXPR", Words::Rules},
      {"[NAME=]EXPR", Words::Rules},
      {"RULE|FUNCTION", Words::RulesAndFunctions},
      {"CODE", Words::Diagnostics},
  }};
  for (const auto& [name, words] : kTable)
    if (name == value) return words;
  return Words::None;
}

/// "TEXT:{a,b}" gives a and b, and loses the type that CLI11 writes before it.
void take_listed(OptionFacts& facts) {
  const std::size_t open = facts.value.find('{');
  const std::size_t close = facts.value.find('}', open);
  if (close == std::string::npos) return;
  facts.words = Words::Listed;
  facts.listed = CLI::detail::split(facts.value.substr(open + 1, close - open - 1), ',');
  facts.value = facts.value.substr(open, close - open + 1);
}

OptionFacts facts_of(const CLI::Option& option) {
  OptionFacts facts;
  for (const std::string& name : option.get_snames()) facts.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) facts.names.push_back("--" + name);
  if (option.get_positional()) facts.positional = option.get_name(true);
  if (option.get_type_size() != 0) {
    facts.value = option.get_type_name();
    facts.words = words_of(facts.value);
    take_listed(facts);
    // CLI11 writes a type before what a check says of itself: "UINT:COUNT".
    if (facts.words != Words::Listed && facts.value.find("UINT:") == 0)
      facts.value = facts.value.find("COUNT") == 5 ? "COUNT" : facts.value.substr(5);
  }
  facts.default_value = option.get_default_str();
  facts.description = option.get_description();
  facts.is_required = option.get_required();
  facts.may_repeat = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  return facts;
}

CommandFacts facts_of(const CLI::App& app, bool is_program) {
  CommandFacts facts;
  if (!is_program) facts.name = app.get_name();
  facts.summary = app.get_description();
  for (const CLI::Option* option : app.get_options()) facts.options.push_back(facts_of(*option));
  // A subcommand starts with the program's footer.
  if (is_program || app.get_footer() != app.get_parent()->get_footer())
    facts.footer = app.get_footer();
  return facts;
}

}  // namespace

std::vector<CommandFacts> command_facts() {
  const CommandLine line;
  std::vector<CommandFacts> all = {facts_of(line.app, true)};
  for (const auto& [command, action] : line.commands) all.push_back(facts_of(*command, false));
  return all;
}

}  // namespace talweg::cli
