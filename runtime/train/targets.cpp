// Targets as numbers or as classes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "runtime/train/names.h"
#include "runtime/train/number_text.h"
#include "runtime/train/table.h"

namespace talweg::train {
namespace {

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

std::string target_text(const Table& table, std::size_t row) {
  return table.target_text.empty() ? fmt::format("{}", table.target_numbers[row])
                                   : table.target_text[row];
}

/// By number where all are finite numbers, else by text.
std::vector<std::string> in_order(const std::set<std::string>& values) {
  std::vector<std::string> ordered(values.begin(), values.end());
  const bool all_numbers = std::all_of(ordered.begin(), ordered.end(), [](const std::string& text) {
    const auto number = parse_number(text);
    return number && std::isfinite(*number);
  });
  if (all_numbers) {
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
      return *parse_number(a) < *parse_number(b);
    });
  }
  return ordered;
}

}  // namespace

std::string row_place(const Table& table, std::size_t row) {
  if (row < table.lines.size()) return fmt::format("{}:{}", table.source, table.lines[row]);
  return fmt::format("{}, row {}", table.source, row + 1);
}

support::Result<std::vector<double>> number_targets(const Table& table) {
  if (!table.target_numbers.empty()) return table.target_numbers;
  std::vector<double> numbers;
  numbers.reserve(table.rows);
  for (std::size_t row = 0; row < table.target_text.size(); ++row) {
    const auto number = parse_number(table.target_text[row]);
    if (!number || !std::isfinite(*number)) {
      return usage(
          fmt::format("{}: the target `{}` is \"{}\", not a finite number; to predict classes "
                      "choose a model or loss for classes (softmax, logistic, mlp with --loss "
                      "softmax)",
                      row_place(table, row), table.target_name, table.target_text[row]));
    }
    numbers.push_back(*number);
  }
  return numbers;
}

support::Result<ClassTargets> class_targets(const Table& table) {
  std::set<std::string> values;
  for (std::size_t row = 0; row < table.rows; ++row) {
    values.insert(target_text(table, row));
    if (values.size() > kMaxClasses) {
      return usage(
          fmt::format("{}: the target `{}` has more than {} different values, so it is no class; "
                      "for numbers choose --loss mse",
                      table.source, table.target_name, kMaxClasses));
    }
  }
  if (values.size() < 2) {
    return usage(
        fmt::format("{}: the target `{}` has the same value in every row; classes need two",
                    table.source, table.target_name));
  }
  return class_targets(table, in_order(values));
}

support::Result<ClassTargets> class_targets(const Table& table, std::vector<std::string> classes) {
  std::unordered_map<std::string, std::uint32_t> index;
  for (const std::string& name : classes) {
    index.emplace(name, static_cast<std::uint32_t>(index.size()));
  }
  ClassTargets result;
  result.labels.reserve(table.rows);
  for (std::size_t row = 0; row < table.rows; ++row) {
    const std::string text = target_text(table, row);
    const auto found = index.find(text);
    if (found == index.end()) {
      return usage(fmt::format("{}: \"{}\" is none of the classes {}", row_place(table, row), text,
                               list_names(classes)));
    }
    result.labels.push_back(found->second);
  }
  result.classes = std::move(classes);
  return result;
}

}  // namespace talweg::train
