// Conditions as people would put them: what is said twice or follows is left out.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// Logic of conditions that are no logic themselves.
struct Formula {
  enum class Kind : std::uint8_t { Always, Never, One, All, Any };
  Kind kind = Kind::Always;
  Assumption one;              // of One
  std::vector<Formula> parts;  // of All and Any; at least two
};

/// That all of some hold, in few words.
Formula simplified(const ir::Graph& graph, std::span<const Assumption> assumptions);

/// `text` gives that of one condition.
std::string to_text(const Formula& formula,
                    const std::function<std::string(const Assumption&)>& text);

}  // namespace talweg::plan
