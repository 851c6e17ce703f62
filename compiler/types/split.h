// Which two dimensions of a tensor are the rows and columns of its matrices; all others number the
// matrices.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace talweg::types {

enum class Split : std::uint8_t {
  FirstRest,   // dimension 0, and all others as one: one matrix
  LastTwo,     //
  TwoLargest,  // in their order; of equal ones the later
};

/// "0 | rest", "last two", "two largest".
constexpr std::string_view to_text(Split split) {
  switch (split) {
    case Split::FirstRest:
      return "0 | rest";
    case Split::LastTwo:
      return "last two";
    case Split::TwoLargest:
      return "two largest";
  }
  return "";
}

constexpr std::optional<Split> split_from_text(std::string_view text) {
  for (const Split split : {Split::FirstRest, Split::LastTwo, Split::TwoLargest})
    if (text == to_text(split)) return split;
  return std::nullopt;
}

}  // namespace talweg::types
