#include "compiler/plan/expression_signs.h"

namespace talweg::plan {

using builtins::Op;

std::optional<Infix> infix_of(Op op) {
  switch (op) {
    case Op::Add:
      return Infix{"+", kAdd, true};
    case Op::Sub:
      return Infix{"-", kAdd};
    case Op::Mul:
      return Infix{"*", kMultiply, true};
    case Op::Div:
      return Infix{"/", kMultiply};
    case Op::Mod:
      return Infix{"%", kMultiply};
    case Op::Pow:
      return Infix{"^", kPower};
    case Op::Lt:
      return Infix{"<", kCompare};
    case Op::Le:
      return Infix{"<=", kCompare};
    case Op::Gt:
      return Infix{">", kCompare};
    case Op::Ge:
      return Infix{">=", kCompare};
    case Op::Eq:
      return Infix{"==", kCompare};
    case Op::Ne:
      return Infix{"!=", kCompare};
    case Op::And:
      return Infix{"and", kAnd, true};
    case Op::Or:
      return Infix{"or", kOr, true};
    default:
      return std::nullopt;
  }
}

std::optional<Op> opposite(Op op, bool may_be_nan) {
  switch (op) {
    case Op::Eq:
      return Op::Ne;
    case Op::Ne:
      return Op::Eq;
    case Op::Lt:
      return may_be_nan ? std::nullopt : std::optional(Op::Ge);
    case Op::Le:
      return may_be_nan ? std::nullopt : std::optional(Op::Gt);
    case Op::Gt:
      return may_be_nan ? std::nullopt : std::optional(Op::Le);
    case Op::Ge:
      return may_be_nan ? std::nullopt : std::optional(Op::Lt);
    default:
      return std::nullopt;
  }
}

}  // namespace talweg::plan
