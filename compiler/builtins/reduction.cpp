// The tables of reductions and folds, their rows in the order of the enumerations.
#include "compiler/builtins/reduction.h"

#include <algorithm>

namespace talweg::builtins {

namespace {

constexpr ReductionInfo kReductions[] = {
    {Reduction::Sum, 1, false, false, "sum", "sum of all values; 0 of none"},
    {Reduction::Mean, 1, false, false, "mean", "sum divided by how many there are; 0 of none"},
    {Reduction::Min, 1, false, false, "min",
     "the smallest; NaN if one is NaN; -0 is below +0; inf of none"},
    {Reduction::Max, 1, false, false, "max",
     "the largest; NaN if one is NaN; -0 is below +0; -inf of none"},
    {Reduction::Count, 1, true, false, "count", "how many are true"},
    {Reduction::Any, 1, true, true, "any", "whether one is true; false of none"},
    {Reduction::All, 1, true, true, "all", "whether none is false; true of none"},
    {Reduction::Norm, 1, false, false, "norm", "Euclidean norm: root of the sum of squares"},
    {Reduction::Dot, 2, false, false, "dot", "sum of the products of two values"},
};

constexpr FoldInfo kFolds[] = {
    {Fold::Sum, 1, "sum"}, {Fold::Dot, 2, "dot"},     {Fold::Min, 1, "min"},
    {Fold::Max, 1, "max"}, {Fold::Count, 0, "count"},
};

}  // namespace

const ReductionInfo& info(Reduction reduction) {
  return kReductions[static_cast<std::size_t>(reduction)];
}

const std::vector<ReductionInfo>& reduction_table() {
  static const std::vector<ReductionInfo> table(std::begin(kReductions), std::end(kReductions));
  return table;
}

std::optional<Reduction> reduction_from_name(std::string_view name) {
  const auto* found = std::ranges::find(kReductions, name, &ReductionInfo::name);
  return found == std::end(kReductions) ? std::nullopt : std::optional(found->reduction);
}

const FoldInfo& info(Fold fold) { return kFolds[static_cast<std::size_t>(fold)]; }

std::optional<Fold> fold_from_name(std::string_view name) {
  const auto* found = std::ranges::find(kFolds, name, &FoldInfo::name);
  return found == std::end(kFolds) ? std::nullopt : std::optional(found->fold);
}

}  // namespace talweg::builtins
