// Which rule of the library is a reference case, by its family and hyperparameters.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/cli/replay_case.h"
#include "runtime/support/result.h"

namespace talweg::cli {

/// One row of the table: the cases of `family` whose hyperparameters fit are `rule`.
///
/// In `rule`, {name} stands for the value of a hyperparameter: a number, true or false, a word, a
/// list as [a, b]. {name?0} is 0, and {name?=other} the value of another, where the case does not
/// have it or has null; {name:a=x,b=y} translates words; {name.0} is an element of a list; [[ ...
/// ]] is repeated for the elements of the lists named in it as {name.#}.
struct RuleRow {
  std::string_view family;
  std::string_view
      when;  // "mode=value": values this row asks for; several are separated by a blank
  std::string_view rule;  // a pipeline
  std::string_view
      states;  // "b=velocity m=-mean a=v/r": the case's names and ours; "-": with the other sign,
               // "/": that of these which a tensor keeps
  std::string_view
      ignored;  // hyperparameters without a meaning for these cases, separated by blanks
};

/// The rows, the more special ones of a family first.
std::span<const RuleRow> rule_rows();

struct NamedState {
  std::string theirs, ours;  // `ours` may be several, separated by "/"
  bool negated = false;
};

struct CaseRule {
  std::string rule;                // the pipeline
  std::vector<NamedState> states;  // whose final values the case has
};

/// The rule of a case. A row fits if its conditions hold, every hyperparameter in it is there, and
/// every hyperparameter of the case stands in it. Problems have no family: a family that their name
/// ends in is looked at first, then all. Usage failure naming the family (and what of it is
/// unknown) if no row fits.
support::Result<CaseRule> rule_of_case(const ReplayCase& reference);

/// The names in "b=velocity m=-mean v", as `RuleRow::states` has them.
std::vector<NamedState> states_of(std::string_view text);

/// What a row makes of these hyperparameters; nothing if it does not fit.
std::optional<std::string> expand(const RuleRow& row, const nlohmann::ordered_json& hyper);

}  // namespace talweg::cli
