// How a step ended, as transcripts and bindings of generated libraries call it.
#pragma once

#include "runtime/optimizer/optimizer.hpp"

namespace talweg::tests {

inline const char* outcome_name(optimizer::StepOutcome outcome) {
  switch (outcome) {
    case optimizer::StepOutcome::Completed:
      return "completed";
    case optimizer::StepOutcome::Held:
      return "held";
    case optimizer::StepOutcome::Skipped:
      return "skipped";
    case optimizer::StepOutcome::Regrad:
      return "regrad";
  }
  return "?";
}

}  // namespace talweg::tests
