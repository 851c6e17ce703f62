// What the terminal can show. Data goes to stdout, messages to stderr.
#pragma once

#include <cstdio>
#include <string_view>

namespace talweg::cli {

/// True if `stream` is a terminal that wants colour: NO_COLOR is not set and TERM is not "dumb".
bool wants_color(std::FILE* stream);
bool is_terminal(std::FILE* stream);
/// Columns of the terminal on stderr; 80 where unknown.
int terminal_width();
/// Writes to stdout. What could not be written shows in finish_output().
void print(std::string_view text);
/// Sends on what print() holds back.
void flush_output();
/// Flushes stdout; false (with a message on stderr that names the system's reason) if something
/// could not be written.
bool finish_output();

}  // namespace talweg::cli
