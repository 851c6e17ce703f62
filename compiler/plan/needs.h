// Which values the results of a step are made of, as far as conditions are known.
#pragma once

#include <vector>

#include "compiler/plan/plan.h"

namespace talweg::plan {

struct Resolved;

/// Whether a value is needed: never, always, or where a condition that is not known yet holds or
/// does not (and perhaps others besides).
struct Need {
  enum class Kind : std::uint8_t { Never, Where, Always } kind = Kind::Never;
  Assumption where = {};
};

/// By node. `askable`: by node, the conditions that a need may depend on; empty: none.
std::vector<Need> find_needs(const ir::Graph& graph, const Resolved& resolved,
                             const std::vector<bool>& askable);

}  // namespace talweg::plan
