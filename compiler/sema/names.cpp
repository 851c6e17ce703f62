// Reserved names and suggestions.
#include "compiler/sema/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numbers>

#include "compiler/builtins/op.h"
#include "compiler/builtins/reduction.h"

namespace talweg::sema {

namespace {

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

constexpr std::array<std::string_view, 2> kConstants = {"pi", "inf"};
constexpr std::array<std::string_view, 5> kRuleNames = {"param", "grad", "update", "t", "calls"};
constexpr std::array<std::string_view, 4> kFactNames = {"rank", "size", "rows", "cols"};
constexpr std::array<std::string_view, 6> kExpansions = {"clip",  "clamp",  "given",
                                                         "named", "tagged", "previous"};
constexpr std::array<std::string_view, 4> kMatrixFunctions = {"transpose", "eigh", "qr",
                                                              "inverse_root"};
constexpr std::array<std::string_view, 2> kRandomFunctions = {"normal", "uniform"};

/// Names that people bring from papers and other libraries. A row is tried from left to right.
constexpr std::array<std::array<std::string_view, 7>, 21> kHabits = {{
    {"grad", "g", "gradient", "grads", "gradients", "dw", "dx"},
    {"param", "p", "theta", "θ", "params", "w", "weight"},
    {"param", "parameter", "weights", "x", "parameters", "", ""},
    {"t", "step", "iteration", "iter", "epoch", "step_number", "time"},
    {"lr", "learning_rate", "eta", "η", "alpha", "α", "rate"},
    {"momentum", "mu", "beta", "β", "beta1", "", ""},
    {"weight_decay", "wd", "decay", "lambda", "λ", "l2", ""},
    {"eps", "epsilon", "ε", "delta", "", "", ""},
    {"rho", "decay", "alpha", "beta2", "", "", ""},
    {"update", "delta", "du", "updates", "direction", "", ""},
    {"mean", "average", "avg", "", "", "", ""},
    {"rank", "ndim", "dim", "dims", "dimensions", "", ""},
    {"size", "numel", "length", "elements", "", "", ""},
    {"tensor", "layer", "param", "parameter", "weight", "array", ""},
    {"model", "global", "network", "net", "all", "step", ""},
    {"group", "param_group", "", "", "", "", ""},
    {"col", "column", "columns", "", "", "", ""},
    {"max", "maximum", "fmax", "amax", "", "", ""},
    {"min", "minimum", "fmin", "amin", "", "", ""},
    {"pow", "power", "", "", "", "", ""},
    {"abs", "absolute", "fabs", "", "", "", ""},
}};

/// The candidate that stands with `name` in a row of habits.
std::string_view by_habit(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.empty()) return {};
  for (const auto& row : kHabits) {
    if (!contains(row, name)) continue;
    for (const std::string_view other : row)
      if (!other.empty() && other != name &&
          std::ranges::find(candidates, other) != candidates.end())
        return other;
  }
  return {};
}

/// The candidates near enough in length to be worth comparing, a bounded number of them.
std::vector<std::string> comparable(std::string_view name,
                                    const std::vector<std::string>& candidates) {
  constexpr std::size_t kMostCompared = 2000;
  std::vector<std::string> result;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(candidate.size(), name.size());
    const std::size_t shorter = std::min(candidate.size(), name.size());
    if (longer - shorter <= name.size() / 3 + 1) result.push_back(candidate);
    if (result.size() == kMostCompared) break;
  }
  return result;
}

}  // namespace

bool is_reserved_for_modules(std::string_view name) {
  return contains(kConstants, name) || contains(kExpansions, name) ||
         later_function(name) != LaterFeature::None || builtins::function_from_name(name) ||
         builtins::reduction_from_name(name);
}

bool is_reserved_in_rules(std::string_view name) {
  return contains(kConstants, name) || contains(kRuleNames, name) || contains(kFactNames, name);
}

bool is_reserved_for_parameters(std::string_view name) { return contains(kConstants, name); }

std::optional<double> language_constant(std::string_view name) {
  if (name == "pi") return std::numbers::pi;
  if (name == "inf") return std::numeric_limits<double>::infinity();
  return std::nullopt;
}

LaterFeature later_function(std::string_view name) {
  if (contains(kMatrixFunctions, name)) return LaterFeature::Matrix;
  if (contains(kRandomFunctions, name)) return LaterFeature::Random;
  return LaterFeature::None;
}

std::vector<std::string> language_functions() {
  std::vector<std::string> names(kExpansions.begin(), kExpansions.end());
  for (const builtins::OpInfo& row : builtins::op_table())
    if (row.callable) names.emplace_back(row.name);
  for (const builtins::ReductionInfo& row : builtins::reduction_table())
    if (!builtins::function_from_name(row.name)) names.emplace_back(row.name);
  return names;
}

bool suggest(base::DiagnosticBuilder& report, const Reporter& reporter, std::string_view name,
             const std::vector<std::string>& candidates) {
  if (!reporter.keeps_more()) return false;
  std::string best{by_habit(name, candidates)};
  if (best.empty() && name.size() > 1)
    best = base::nearest_name(name, comparable(name, candidates));
  if (best.empty()) return false;
  report.help(fmt::format("did you mean `{}`?", best));
  return true;
}

}  // namespace talweg::sema
