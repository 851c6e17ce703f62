// A manual page in the language of man(7).
#pragma once

#include <string>
#include <vector>

#include "compiler/cli/command_line.h"

namespace talweg::cli {

/// "talweg", "talweg-build".
std::string page_name(const CommandFacts& command);
/// The page of one of `commands`; the first of them is the program itself.
std::string man_page(const CommandFacts& command, const std::vector<CommandFacts>& commands);

}  // namespace talweg::cli
