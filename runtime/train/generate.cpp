// Generated data: reading a specification, then one row after another from a stream of its own.
#include "runtime/train/generate.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "runtime/train/names.h"
#include "runtime/train/number_text.h"
#include "runtime/train/random.h"

namespace talweg::train {
namespace {

constexpr double kMaxRows = 1e7;
constexpr double kMaxSpiralClasses = 100;
constexpr double kNoLimit = 1e300;

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

struct Option {
  std::string name;
  double low, high;
  bool is_whole;
  std::function<void(double)> set;
};

std::vector<Option> options_of(GenerateSpec& spec) {
  std::vector<Option> options = {
      {"n", 2, kMaxRows, true, [&](double v) { spec.n = static_cast<std::uint32_t>(v); }},
      {"noise", 0, kNoLimit, false, [&](double v) { spec.noise = v; }}};
  switch (spec.kind) {
    case GenerateSpec::Kind::Linear:
      options.push_back(
          {"intercept", -kNoLimit, kNoLimit, false, [&](double v) { spec.intercept = v; }});
      options.push_back({"slope", -kNoLimit, kNoLimit, false, [&](double v) { spec.slope = v; }});
      break;
    case GenerateSpec::Kind::Moons:
      break;
    case GenerateSpec::Kind::Spirals:
      options.push_back({"classes", 2, kMaxSpiralClasses, true,
                         [&](double v) { spec.classes = static_cast<std::uint32_t>(v); }});
      options.push_back({"turns", 0, kNoLimit, false, [&](double v) { spec.turns = v; }});
      break;
  }
  return options;
}

support::Result<GenerateSpec> default_spec(std::string_view kind) {
  GenerateSpec spec;
  if (kind == "linear") {
    spec.noise = 1;
  } else if (kind == "moons") {
    spec.kind = GenerateSpec::Kind::Moons;
    spec.n = 400;
    spec.noise = 0.1;
  } else if (kind == "spirals") {
    spec.kind = GenerateSpec::Kind::Spirals;
    spec.n = 600;
    spec.noise = 0.05;
  } else {
    const std::vector<std::string> kinds = {"linear", "moons", "spirals"};
    return usage(fmt::format("no data can be generated as `{}`{}; there are {}", kind,
                             suggestion(kind, kinds), list_names(kinds)));
  }
  return spec;
}

support::Status set_option(std::vector<Option>& options, std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  std::vector<std::string> names;
  for (Option& option : options) {
    names.push_back(option.name);
    if (option.name != name) continue;
    const auto value =
        equals == std::string_view::npos ? std::nullopt : parse_number(text.substr(equals + 1));
    if (!value || !(*value >= option.low && *value <= option.high) ||
        (option.is_whole && *value != std::floor(*value))) {
      return usage(fmt::format("generate: `{}` needs {} from {} to {}", name,
                               option.is_whole ? "a whole number" : "a number", option.low,
                               option.high));
    }
    option.set(*value);
    return support::ok();
  }
  return usage(fmt::format("generate: there is no `{}`{}; there are {}", name,
                           suggestion(name, names), list_names(names)));
}

void add_linear_row(const GenerateSpec& spec, RandomStream& random, Table& table) {
  const double x = 2 * random.uniform();
  table.features.push_back(x);
  table.target_numbers.push_back(spec.intercept + spec.slope * x + spec.noise * random.normal());
}

void add_point(double x, double y, double noise, RandomStream& random, Table& table) {
  table.features.push_back(x + noise * random.normal());
  table.features.push_back(y + noise * random.normal());
}

void add_moon_row(const GenerateSpec& spec, std::uint32_t row, RandomStream& random, Table& table) {
  const std::uint32_t label = row % 2;
  const double angle = std::numbers::pi * random.uniform();
  const double x = label == 0 ? std::cos(angle) : 1 - std::cos(angle);
  const double y = label == 0 ? std::sin(angle) : 0.5 - std::sin(angle);
  add_point(x, y, spec.noise, random, table);
  table.target_text.push_back(std::to_string(label));
}

void add_spiral_row(const GenerateSpec& spec, std::uint32_t row, RandomStream& random,
                    Table& table) {
  const std::uint32_t label = row % spec.classes;
  const double radius = random.uniform();
  const double angle =
      2 * std::numbers::pi * (spec.turns * radius + double{1} * label / spec.classes);
  add_point(radius * std::cos(angle), radius * std::sin(angle), spec.noise, random, table);
  table.target_text.push_back(std::to_string(label));
}

}  // namespace

support::Result<GenerateSpec> parse_generate_spec(std::string_view text) {
  if (text.starts_with(kGeneratePrefix)) text.remove_prefix(kGeneratePrefix.size());
  const std::size_t question = text.find('?');
  auto spec = default_spec(text.substr(0, question));
  if (!spec || question == std::string_view::npos) return spec;
  std::vector<Option> options = options_of(*spec);
  std::string_view rest = text.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    if (auto status = set_option(options, rest.substr(0, end)); !status) return status.failure();
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return *spec;
}

Table generate(const GenerateSpec& spec, std::uint64_t seed) {
  Table table;
  table.rows = spec.n;
  table.target_name = "y";
  table.feature_names = {"x"};
  if (spec.kind != GenerateSpec::Kind::Linear) table.feature_names = {"x1", "x2"};
  RandomStream random(seed, RandomPurpose::Data, 0);
  for (std::uint32_t row = 0; row < spec.n; ++row) {
    switch (spec.kind) {
      case GenerateSpec::Kind::Linear:
        table.source = "generate:linear";
        add_linear_row(spec, random, table);
        break;
      case GenerateSpec::Kind::Moons:
        table.source = "generate:moons";
        add_moon_row(spec, row, random, table);
        break;
      case GenerateSpec::Kind::Spirals:
        table.source = "generate:spirals";
        add_spiral_row(spec, row, random, table);
        break;
    }
  }
  return table;
}

}  // namespace talweg::train
