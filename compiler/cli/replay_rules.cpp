// Fills the rows of the table with the hyperparameters of a case.
#include "compiler/cli/replay_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/types/interval.h"

namespace talweg::cli {

namespace {

using Json = nlohmann::ordered_json;

/// What a problem's case says beside the hyperparameters of its optimizer.
const std::set<std::string, std::less<>> kOfProblems = {"steps", "batch", "epochs", "l2"};

std::vector<std::string> words(std::string_view text, char separator = ' ') {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// A value as a rule writes it; nothing for null and objects.
std::optional<std::string> text_of(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number()) return types::number_text(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return std::nullopt;
  std::string text = "[";
  for (const Json& item : value) {
    const auto element = item.is_array() ? std::nullopt : text_of(item);
    if (!element) return std::nullopt;
    text += (text.size() > 1 ? ", " : "") + *element;
  }
  return text + "]";
}

/// Fills one row; remembers which hyperparameters it used.
class Expansion {
 public:
  explicit Expansion(const Json& hyper) : hyper_(hyper) {}

  /// False if a place cannot be filled.
  bool fill(std::string_view text, std::string& out) {
    while (!text.empty()) {
      if (text.starts_with("[[")) {
        const std::size_t end = text.find("]]");
        if (!repeat(text.substr(2, end - 2), out)) return false;
        text.remove_prefix(end + 2);
      } else if (text.front() == '{') {
        const std::size_t end = text.find('}');
        const auto value = place(text.substr(1, end - 1));
        if (!value) return false;
        out += *value;
        text.remove_prefix(end + 1);
      } else {
        out += text.front();
        text.remove_prefix(1);
      }
    }
    return true;
  }

  void use(const std::string& name) { ++used_[name]; }
  [[nodiscard]] bool is_used(const std::string& name, const Json& value) const {
    const auto entry = used_.find(name);
    if (entry == used_.end()) return false;
    const auto by_element = elements_.find(name);
    return by_element == elements_.end() || by_element->second.size() == value.size();
  }

 private:
  /// The text of {name?default}, {name:a=x}, {name.0}, {name.#}.
  std::optional<std::string> place(std::string_view inside) {
    const std::size_t question = inside.find('?');
    const std::size_t colon = inside.find(':');
    const std::size_t dot = inside.find('.');
    const std::string name(inside.substr(0, std::min({question, colon, dot, inside.size()})));
    use(name);
    const auto entry = hyper_.find(name);
    if (entry == hyper_.end() || entry->is_null()) {
      if (question == std::string_view::npos) return std::nullopt;
      const std::string_view otherwise = inside.substr(question + 1);
      return otherwise.starts_with('=') ? place(otherwise.substr(1)) : std::string(otherwise);
    }
    if (question == std::string_view::npos && dot != std::string_view::npos &&
        colon == std::string_view::npos)
      return element(name, *entry, inside.substr(dot + 1));
    const auto text = text_of(*entry);
    if (!text || colon == std::string_view::npos) return text;
    for (const std::string& pair : words(inside.substr(colon + 1), ',')) {
      const std::size_t equals = pair.find('=');
      if (pair.substr(0, equals) == *text) return pair.substr(equals + 1);
    }
    return std::nullopt;
  }

  std::optional<std::string> element(const std::string& name, const Json& values,
                                     std::string_view index) {
    const std::size_t i = index == "#" ? iteration_ : static_cast<std::size_t>(index.front() - '0');
    if (!values.is_array() || i >= values.size()) return std::nullopt;
    elements_[name].insert(i);
    return text_of(values[i]);
  }

  /// Once for each element of the shortest list in it.
  bool repeat(std::string_view body, std::string& out) {
    std::size_t count = SIZE_MAX;
    for (const auto& [name, value] : hyper_.items())
      if (body.find("{" + name + ".#}") != std::string_view::npos)
        count = std::min(count, value.size());
    if (count == SIZE_MAX) return false;
    for (iteration_ = 0; iteration_ < count; ++iteration_)
      if (!fill(body, out)) return false;
    return true;
  }

  const Json& hyper_;
  std::map<std::string, int> used_;
  std::map<std::string, std::set<std::size_t>> elements_;
  std::size_t iteration_ = 0;
};

/// True if `name=value` holds; "null" also where the case has no such entry.
bool holds(const std::string& condition, const Json& hyper, Expansion& expansion) {
  const std::size_t equals = condition.find('=');
  const std::string name = condition.substr(0, equals);
  const auto entry = hyper.find(name);
  expansion.use(name);
  const auto text = entry == hyper.end() ? std::nullopt : text_of(*entry);
  return text.value_or("null") == condition.substr(equals + 1);
}

/// The first row of this family (of any, if empty) that fits.
const RuleRow* fitting_row(std::string_view family, const Json& hyper, std::string& rule) {
  for (const RuleRow& row : rule_rows()) {
    if (!family.empty() && row.family != family) continue;
    if (auto expanded = expand(row, hyper)) {
      rule = std::move(*expanded);
      return &row;
    }
  }
  return nullptr;
}

/// The longest family that stands at the end of a problem's name, after an underscore.
std::string_view family_in_name(std::string_view name) {
  std::string_view best;
  for (const RuleRow& row : rule_rows())
    if (row.family.size() > best.size() && name.ends_with("_" + std::string(row.family)))
      best = row.family;
  return best;
}

support::Failure unknown_family(const ReplayCase& reference) {
  const bool known = std::ranges::any_of(
      rule_rows(), [&](const RuleRow& row) { return row.family == reference.family; });
  if (reference.kind == CaseKind::Problem)
    return {support::FailureKind::Usage,
            fmt::format(
                "no rule is known for problem `{}` with these hyperparameters; give one by --rule",
                reference.name)};
  if (known)
    return {support::FailureKind::Usage,
            fmt::format("the rule known for family `{}` does not have the hyperparameters of case "
                        "`{}`; give one by --rule",
                        reference.family, reference.name)};
  return {support::FailureKind::Usage,
          fmt::format("no rule is known for family `{}`; give one by --rule", reference.family)};
}

}  // namespace

std::optional<std::string> expand(const RuleRow& row, const Json& hyper) {
  Expansion expansion(hyper);
  for (const std::string& condition : words(row.when))
    if (!holds(condition, hyper, expansion)) return std::nullopt;
  for (const std::string& name : words(row.ignored)) expansion.use(name);
  std::string rule;
  if (!expansion.fill(row.rule, rule)) return std::nullopt;
  for (const auto& [name, value] : hyper.items())
    if (!expansion.is_used(name, value)) return std::nullopt;
  return rule;
}

support::Result<CaseRule> rule_of_case(const ReplayCase& reference) {
  std::string rule;
  const RuleRow* row = nullptr;
  if (reference.kind == CaseKind::Problem) {
    Json hyper = Json::object();
    for (const auto& [name, value] : reference.hyper.items())
      if (!kOfProblems.contains(name)) hyper[name] = value;
    const std::string_view family = family_in_name(reference.name);
    if (!family.empty()) row = fitting_row(family, hyper, rule);
    if (row == nullptr) row = fitting_row({}, hyper, rule);
  } else {
    row = fitting_row(reference.family, reference.hyper, rule);
  }
  if (row == nullptr) return unknown_family(reference);
  return CaseRule{std::move(rule), states_of(row->states)};
}

std::vector<NamedState> states_of(std::string_view text) {
  std::vector<NamedState> states;
  for (const std::string& pair : words(text)) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      states.push_back({pair, pair, false});
      continue;
    }
    const bool negated = pair[equals + 1] == '-';
    states.push_back({pair.substr(0, equals), pair.substr(equals + (negated ? 2 : 1)), negated});
  }
  return states;
}

}  // namespace talweg::cli
