// The comments of a source, by the tokens they stand next to.
#pragma once

#include <string_view>
#include <vector>

#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

/// A comment on a line of its own.
struct OwnComment {
  std::string_view text;  // with its slashes, without blanks at its end
  bool blank_before = false;
};

/// What stands between a token and the one before it.
struct Gap {
  std::vector<OwnComment> comments;
  bool blank_before_token = false;
  bool breaks = false;  // the token begins a line
  [[nodiscard]] bool has_blank() const;
};

/// For each token of a list the gap before it, and the comment behind it on its line. Separators
/// have neither: what is around them counts for the tokens on either side.
struct Comments {
  std::vector<Gap> before;
  std::vector<std::string_view> behind;  // empty where there is none
};

/// Finds them, for a text that parses without errors. A comment that ends with a carriage return
/// alone is reported: it cannot be written otherwise without moving what follows to another line.
Comments find_comments(const Input& input, const TokenList& list);

}  // namespace talweg::syntax
