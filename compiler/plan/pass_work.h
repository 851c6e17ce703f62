// What one pass does, and what is left of it where some conditions are known.
#pragma once

#include <optional>
#include <vector>

#include "compiler/plan/aliases.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

/// The work of a pass before any condition is known: nodes stand for themselves.
struct PassWork {
  struct Fold {
    PartialKind kind = PartialKind::Chunk;
    std::uint32_t partial = 0;  // of the plan's of this kind
  };
  std::vector<Fold> folds;          // partial results that it leaves
  std::vector<StreamStore> stores;  // to places and scratch
  std::vector<StreamLoad> loads;  // what places and scratch hold since the step began: values that
                                  // earlier passes left there, new gradients
  std::optional<std::uint32_t> origin;  // the scratch stream from which a step can be abandoned
};

/// Fills nodes, loads, stores and folds of `version`, whose alias is that of `resolved`. False if
/// the pass would need the value of a place before the step that an earlier pass has overwritten.
bool fill_version(const Plan& plan, const std::vector<Stream>& streams, const PassWork& work,
                  const Resolved& resolved, LoopVersion& version);

}  // namespace talweg::plan
