// The reductions of the language: `sum(x) per model` makes one value of many. One enumeration, one
// table.
//
// A rule has nine; the graph has five folds, of which the others are made: a mean is a sum divided
// by a count, a norm the root of a dot product with itself, `any` a maximum of ones and zeros.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace talweg::builtins {

enum class Reduction : std::uint8_t { Sum, Mean, Min, Max, Count, Any, All, Norm, Dot };

struct ReductionInfo {
  Reduction reduction;
  int arity;          // 1, or 2 (Dot)
  bool takes_truths;  // operands are true or false; else numbers
  bool gives_truth;
  std::string_view name;  // as a rule calls it
  std::string_view doc;   // one line for docs and :help
};

const ReductionInfo& info(Reduction reduction);
const std::vector<ReductionInfo>& reduction_table();
std::optional<Reduction> reduction_from_name(std::string_view name);

/// How the graph folds many values into one. All of them start from a value that changes nothing,
/// so a fold over nothing is that: 0, +infinity, -infinity.
enum class Fold : std::uint8_t {
  Sum,    // of one operand
  Dot,    // of the products of two, each product and addition rounded once (fma)
  Min,    // of one; NaN if any is NaN, -0 below +0
  Max,    // of one
  Count,  // of index values; no operand
};

struct FoldInfo {
  Fold fold;
  int arity;
  std::string_view name;  // in graph text: "sum"
};

const FoldInfo& info(Fold fold);
std::optional<Fold> fold_from_name(std::string_view name);

}  // namespace talweg::builtins
