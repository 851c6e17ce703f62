// Which of the gradients that a rule asks for go into anything.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "compiler/sema/typed_rule.h"

namespace talweg::sema {

/// One `regrad`.
struct AskedGradient {
  struct Place {
    std::size_t stage = 0;
    Span span;
  };
  Place place;
  bool is_conditional = false;
  std::optional<Place> update;  // the last place before that assigns `update`
  /// The gradient goes into `param`, `update`, a state that reaches something, or a condition.
  bool is_used = false;
};

/// All of them, in the order of the text. `is_complete`: no stage comes behind the last; else
/// another may read a gradient behind which no `update` was made yet.
std::vector<AskedGradient> asked_gradients(const TypedRule& rule, bool is_complete);

/// True if `grad`, as these stages leave it, comes from a gradient that they ask for.
bool leaves_asked_gradient(const TypedRule& rule, std::size_t first, std::size_t end);

/// True if steps leave `param` where a gradient has moved it to, and do not take it back.
bool moves_by_gradient(const TypedRule& rule);

}  // namespace talweg::sema
