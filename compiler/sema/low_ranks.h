// Tensors of rank 0 and 1 have no matrices, rows or columns. Which of these ranks a tensor can have
// at some place follows from the conditions around it.
#pragma once

#include "compiler/sema/rule_builder.h"

namespace talweg::sema {

/// The ranks below 2 that a tensor may have.
class LowRanks {
 public:
  [[nodiscard]] bool is_empty() const { return !may_be_[0] && !may_be_[1]; }
  /// There are none, or what there is does not matter: an error was reported.
  void clear() { may_be_[0] = may_be_[1] = false; }
  /// A condition holds, or does not: ranks with which it certainly would not, or would, are out.
  void exclude(const RuleBuilder& builder, TypedExprId condition, bool holds);

 private:
  bool may_be_[2] = {true, true};
};

}  // namespace talweg::sema
