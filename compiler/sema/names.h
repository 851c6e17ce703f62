// Names that the language keeps for itself, and suggestions for names that mean nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/diagnostics.h"
#include "compiler/sema/reporter.h"

namespace talweg::sema {

/// True for functions and constants of the language: no module may declare such a name.
bool is_reserved_for_modules(std::string_view name);
/// True for names every rule has (`param`, `grad`, `update`, `t`, ...) and for constants of the
/// language: no hyper, state, input or local of a rule may have such a name.
bool is_reserved_in_rules(std::string_view name);
/// True for constants of the language: no parameter of a function may have such a name.
bool is_reserved_for_parameters(std::string_view name);

/// The value of `pi` or `inf`.
std::optional<double> language_constant(std::string_view name);

/// A function of the language that a later version brings.
enum class LaterFeature { None, Matrix, Random };
LaterFeature later_function(std::string_view name);

/// All functions that can be called by name, but those that modules declare.
std::vector<std::string> language_functions();

/// Adds "did you mean" for the candidate that was probably meant: a habit of other libraries
/// (`g` for `grad`, `lr` for `learning_rate`), else the nearest by spelling. True if one was found.
bool suggest(base::DiagnosticBuilder& report, const Reporter& reporter, std::string_view name,
             const std::vector<std::string>& candidates);

}  // namespace talweg::sema
