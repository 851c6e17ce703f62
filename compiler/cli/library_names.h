// What the rules and functions of a library are called.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compiler/standalone/library_module.h"
#include "runtime/support/result.h"

namespace talweg::cli {

/// A rule to be built, before it is resolved.
struct Wanted {
  std::string name;        // as it is called in Python: "AdamW"; in C the same in lower case
  std::string expression;  // "adamw.AdamW"
  std::string module;      // of a rule file's rule: the file's, which declares `name`
};

/// "name=EXPR" taken apart; a lone EXPR is called after its letters. An `=` inside of parentheses
/// belongs to the expression.
Wanted parse_wanted(const std::string& text);

/// Names what has none and is a pipeline. Usage failure: nothing is to be built, a name cannot
/// stand in C, or there are two of it.
support::Status name_rules(std::vector<Wanted>& wanted, bool has_files);

/// `name`, or else that of the one rule or file.
support::Result<std::string> library_name(std::string name,
                                          const std::vector<std::filesystem::path>& files,
                                          const std::vector<Wanted>& wanted);

/// Usage failure: a function or type of a rule has the name of another one, of all libraries or of
/// another rule.
support::Status check_functions(const standalone::Library& library);

std::string lower_case(std::string text);

}  // namespace talweg::cli
