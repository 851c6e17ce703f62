// Which parameter group each tensor is in, and which tensors are frozen.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/result.h"
#include "runtime/train/objective.h"
#include "runtime/train/train_plan.h"

namespace talweg::train {

struct Grouping {
  std::vector<std::uint32_t> groups;  // [tensor]; 0: no rule matches; k: the k-th rule, from 1
  std::uint32_t group_count = 1;
  std::vector<bool> frozen;  // [tensor]
};

/// Refused (Usage): a pattern that matches no tensor, all tensors frozen.
support::Result<Grouping> assign_groups(std::span<const ParameterTensor> tensors,
                                        std::span<const GroupRule> rules,
                                        std::span<const std::string> freeze);

/// Sets each rule's hypers in its group.
support::Status set_group_hypers(optimizer::Optimizer& optimizer, std::span<const GroupRule> rules);

/// Fails (Usage), naming the tensors there are, if `pattern` matches none; `flag` is where it was
/// given.
support::Status check_pattern(std::string_view flag, const std::string& pattern,
                              std::span<const ParameterTensor> tensors);

}  // namespace talweg::train
