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
  // Of the tensor as its rule's split sees it; 0 where its rank is below 2.
  Rows,      // rows of one of its matrices
  Cols,      // columns of one of its matrices
  Matrices,  // how many there are; no rule can name it
};

struct Fact {
  FactKind kind = FactKind::Rank;
  std::string text;  // of Named and Tagged
  bool operator==(const Fact&) const = default;
};

constexpr bool is_truth(FactKind kind) {
  return kind == FactKind::Named || kind == FactKind::Tagged;
}

/// "rank", "size", "named", "tagged", "rows", "cols", "matrices".
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
    case FactKind::Rows:
      return "rows";
    case FactKind::Cols:
      return "cols";
    case FactKind::Matrices:
      return "matrices";
  }
  return "";
}

}  // namespace talweg::types
