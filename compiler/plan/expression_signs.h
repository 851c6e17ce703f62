// Operations that are written with a sign between their operands.
#pragma once

#include <optional>
#include <string_view>

#include "compiler/builtins/op.h"

namespace talweg::plan {

/// How tightly parts of an expression hold together.
enum Binding : int { kIf, kOr, kAnd, kNot, kCompare, kAdd, kMultiply, kSign, kPower, kAtom };

struct Infix {
  std::string_view symbol;
  int binding;
  bool groups_right = false;  // the right operand may bind as loosely
};

/// Nothing for operations that are written as functions.
std::optional<Infix> infix_of(builtins::Op op);
/// The comparison that holds where this one does not; of numbers that may be NaN only == and !=.
std::optional<builtins::Op> opposite(builtins::Op op, bool may_be_nan);

}  // namespace talweg::plan
