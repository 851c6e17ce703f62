// Everything but environment and files comes from the tables behind --help.
#include "compiler/cli/man_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace talweg::cli {

namespace {

constexpr std::string_view kDescription =
    "Rules of optimizers, written as their papers print them, are checked, compiled to fused\n"
    "vectorised kernels, run, traced, and built as libraries for programs in C, C++ and Python.\n"
    "Rule files end in .tw; talweg list shows the rules that it brings.";

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kEnvironment = {{
    {"TALWEG_STDLIB", "Folder of the standard rules, in place of the installed one."},
    {"TALWEG_CACHE_DIR",
     "Folder of compiled kernels. By default $XDG_CACHE_HOME/talweg, else ~/.cache/talweg."},
    {"TALWEG_CPU",
     "Read by generated libraries: the variant of the kernels to take, as their header says."},
    {"NO_COLOR", "Where it is set, nothing is coloured."},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kExitStatus = {{
    {"0", "Done."},
    {"1", "The rule is wrong."},
    {"2", "The command is used wrongly."},
    {"3", "A file is missing, cannot be read or cannot be written."},
    {"4", "A numeric failure: not a number, divergence, a comparison that differs."},
    {"70", "A bug in talweg."},
}};

/// Text for groff: what it would read as an escape, a dash or a request is none.
std::string plain(std::string_view text) {
  std::string result;
  bool is_line_start = true;
  for (const char c : text) {
    if (is_line_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else if (c == '\'')
      result += "\\(aq";
    else if (c == '^')
      result += "\\(ha";
    else if (c == '~')
      result += "\\(ti";
    else if (c == '`')
      result += "\\(ga";
    else
      result += c;
    is_line_start = c == '\n';
  }
  return result;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

std::string item(const std::string& head, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", head, plain(text));
}

/// A sentence begins with a capital and ends with a full stop; --help leaves both away.
std::string sentence(std::string text) {
  if (!text.empty())
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  if (!text.empty() && std::string_view(".)").find(text.back()) == std::string_view::npos)
    text += '.';
  return text;
}

std::string details(const OptionFacts& option) {
  std::string text = sentence(option.description);
  if (option.is_required) text += " Required.";
  if (option.may_repeat) text += " May be repeated.";
  if (!option.default_value.empty()) text += fmt::format(" Default: {}.", option.default_value);
  return text;
}

std::string option_item(const OptionFacts& option) {
  std::string head;
  for (const std::string& name : option.names) head += (head.empty() ? "" : ", ") + bold(name);
  std::string value = italic(option.value);
  for (std::size_t at = value.find(','); at != std::string::npos; at = value.find(',', at + 1))
    value.insert(at + 1, "\\:");  // a line may end there
  if (!option.value.empty()) head += " " + value;
  return item(head, details(option));
}

std::string upper_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string synopsis(const CommandFacts& command) {
  if (command.name.empty())
    return ".SH SYNOPSIS\n" + bold("talweg") + " " + italic("command") + " [" + italic("options") +
           "]\n.br\n" + bold("talweg --help") + " | " + bold("--version") + "\n";
  std::string text =
      ".SH SYNOPSIS\n" + bold("talweg " + command.name) + " [" + italic("options") + "]";
  for (const OptionFacts& option : command.options) {
    if (option.positional.empty()) continue;
    const std::string place = italic(option.positional) + (option.may_repeat ? " ..." : "");
    text += option.is_required ? " " + place : " [" + place + "]";
  }
  return text + "\n";
}

/// The lines of a footer as they stand; one that says "Examples:" begins a section.
std::string footer_sections(const std::string& footer) {
  std::string text, body;
  std::string heading = "NOTES";
  const auto close = [&] {
    while (body.starts_with('\n')) body.erase(0, 1);
    while (body.ends_with("\n\n")) body.pop_back();
    if (!body.empty()) text += fmt::format(".SH {}\n.nf\n{}.fi\n", heading, plain(body));
    body.clear();
  };
  for (std::size_t begin = 0; begin < footer.size();) {
    const std::size_t end = std::min(footer.find('\n', begin), footer.size());
    const std::string line = footer.substr(begin, end - begin);
    if (line == "Example:" || line == "Examples:" || line == "Stages:") {
      close();
      heading = upper_case(line.substr(0, line.size() - 1));
    } else {
      body += line + "\n";
    }
    begin = end + 1;
  }
  close();
  return text;
}

std::string see_also(const CommandFacts& command, const std::vector<CommandFacts>& commands) {
  std::string text = ".SH SEE ALSO\n";
  std::string separator;
  for (const CommandFacts& other : commands) {
    if (other.name == command.name || (!command.name.empty() && !other.name.empty())) continue;
    text += separator + bold(page_name(other)) + "(1)";
    separator = ", ";
  }
  return text + "\n";
}

}  // namespace

std::string page_name(const CommandFacts& command) {
  return command.name.empty() ? "talweg" : "talweg-" + command.name;
}

std::string man_page(const CommandFacts& command, const std::vector<CommandFacts>& commands) {
  std::string summary = command.summary;
  if (command.name.empty()) summary.erase(0, summary.find(": ") + 2);
  std::string text = fmt::format(
      ".\\\" Made by `talweg man`.\n"
      ".TH {} 1 \"\" \"talweg {}\" \"talweg\"\n.SH NAME\n{} \\- {}\n",
      plain(upper_case(page_name(command))), TALWEG_VERSION, plain(page_name(command)),
      plain(summary));
  text += synopsis(command);
  if (command.name.empty()) {
    text += fmt::format(".SH DESCRIPTION\n{}\n.SH COMMANDS\n", plain(kDescription));
    for (const CommandFacts& other : commands)
      if (!other.name.empty()) text += item(bold(other.name), sentence(other.summary));
  }
  std::string arguments, options;
  for (const OptionFacts& option : command.options) {
    if (!option.positional.empty()) arguments += item(italic(option.positional), details(option));
    if (!option.names.empty()) options += option_item(option);
  }
  if (!arguments.empty()) text += ".SH ARGUMENTS\n" + arguments;
  text += ".SH OPTIONS\n" + options;
  if (!command.name.empty()) text += footer_sections(command.footer);
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitStatus) text += item(std::string(code), meaning);
  if (command.name.empty()) {
    text += ".SH ENVIRONMENT\n";
    for (const auto& [name, meaning] : kEnvironment) text += item(bold(name), meaning);
  }
  return text + see_also(command, commands);
}

}  // namespace talweg::cli
