// Scripts that make shells complete talweg's commands, options and their values.
#pragma once

#include <string>
#include <vector>

#include "compiler/cli/command_line.h"

namespace talweg::cli {

std::string bash_completions(const std::vector<CommandFacts>& commands);
std::string zsh_completions(const std::vector<CommandFacts>& commands);
std::string fish_completions(const std::vector<CommandFacts>& commands);

/// A text as one word of bash or zsh.
std::string in_single_quotes(const std::string& text);

/// A command for a shell that prints names that `talweg list` shows, one a line: of rules and
/// stages, or of functions too.
std::string list_command(bool with_functions);

}  // namespace talweg::cli
