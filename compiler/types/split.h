// How a rule sees a tensor of rank 2 or more as matrices: which dimensions are rows, which columns,
// and which tell the matrices of a batch apart.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace talweg::types {

enum class Split : std::uint8_t {
  FirstRest,   // dimension 0 by all others: one matrix
  LastTwo,     // the last two dimensions; the ones before them are a batch
  TwoLargest,  // the two largest, in their order, of equal ones the later; the others are a batch
};

inline constexpr std::array kSplits = {Split::FirstRest, Split::LastTwo, Split::TwoLargest};

/// As it stands between the parentheses of `matrix (...)`: "0 | rest", "last two", "two largest".
std::string_view to_text(Split split);
std::optional<Split> split_from_text(std::string_view text);

}  // namespace talweg::types
