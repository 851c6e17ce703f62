// Patterns against tensor names; the first rule that matches wins.
#include "runtime/train/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/train/names.h"

namespace talweg::train {
namespace {

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

}  // namespace

support::Status check_pattern(std::string_view flag, const std::string& pattern,
                              std::span<const ParameterTensor> tensors) {
  std::vector<std::string> names;
  for (const ParameterTensor& tensor : tensors) {
    if (matches_pattern(pattern, tensor.name)) return support::ok();
    names.push_back(tensor.name);
  }
  return usage(fmt::format("{}: `{}` matches no tensor{}; the tensors are {}", flag, pattern,
                           suggestion(pattern, names), list_names(names)));
}

support::Result<Grouping> assign_groups(std::span<const ParameterTensor> tensors,
                                        std::span<const GroupRule> rules,
                                        std::span<const std::string> freeze) {
  for (const GroupRule& rule : rules) {
    if (auto status = check_pattern("--group", rule.pattern, tensors); !status)
      return status.failure();
  }
  for (const std::string& pattern : freeze) {
    if (auto status = check_pattern("--freeze", pattern, tensors); !status) return status.failure();
  }
  Grouping grouping;
  grouping.group_count = static_cast<std::uint32_t>(rules.size()) + 1;
  for (const ParameterTensor& tensor : tensors) {
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const GroupRule& candidate) {
      return matches_pattern(candidate.pattern, tensor.name);
    });
    const auto place = static_cast<std::uint32_t>(rule - rules.begin());
    grouping.groups.push_back(rule == rules.end() ? 0 : place + 1);
    grouping.frozen.push_back(std::any_of(freeze.begin(), freeze.end(), [&](const auto& pattern) {
      return matches_pattern(pattern, tensor.name);
    }));
  }
  if (std::count(grouping.frozen.begin(), grouping.frozen.end(), false) > 0) return grouping;
  return usage("--freeze leaves nothing to train: it matches every tensor");
}

support::Status set_group_hypers(optimizer::Optimizer& optimizer,
                                 std::span<const GroupRule> rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (const auto& [name, value] : rules[i].hypers) {
      auto status = optimizer.set_hyper(name, value, static_cast<std::uint32_t>(i) + 1);
      if (!status) {
        return usage(fmt::format("--group {}: {}", rules[i].pattern, status.failure().message));
      }
    }
  }
  return support::ok();
}

}  // namespace talweg::train
