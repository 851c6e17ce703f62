// What a rule can ask about a tensor where it chooses a pipeline for it. Facts are known when the
// optimizer is built and never change.
#pragma once

#include <cstdint>
#include <string>

namespace talweg::types {

enum class FactKind : std::uint8_t {
  Rank,    // number of dimensions
  Size,    // number of elements
  Named,   // whether the name matches the pattern `text`: `*` any run of characters, `?` any one
  Tagged,  // whether the caller gave it the tag `text`
};

struct Fact {
  FactKind kind = FactKind::Rank;
  std::string text;  // of Named and Tagged
  bool operator==(const Fact&) const = default;
};

constexpr bool is_truth(FactKind kind) {
  return kind == FactKind::Named || kind == FactKind::Tagged;
}

/// "rank", "size", "named", "tagged".
constexpr const char* to_text(FactKind kind) {
  switch (kind) {
    case FactKind::Rank:
      return "rank";
    case FactKind::Size:
      return "size";
    case FactKind::Named:
      return "named";
    case FactKind::Tagged:
      return "tagged";
  }
  return "";
}

}  // namespace talweg::types
