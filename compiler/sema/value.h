// What checking an expression gives: a typed expression, or a value that has none (a list), or
// nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "compiler/sema/typed_rule.h"

namespace talweg::sema {

struct Value {
  /// False: an error was reported, or the value is a parameter of a function checked without a
  /// call. Such a value fits everywhere, silently.
  bool known = false;
  Type type;
  TypedExprId id;                  // of a number or bool
  std::optional<double> constant;  // exactly where the rate is Const (a bool is 0 or 1)
  std::shared_ptr<const std::vector<double>> list;  // of a constant list; then `type` means nothing
  Span span;

  [[nodiscard]] bool is_list() const { return list != nullptr; }
  [[nodiscard]] bool is_scalar() const { return known && !list; }
};

}  // namespace talweg::sema
