// What one pass does, and what is left of it where some conditions are known.
#pragma once

#include <optional>
#include <vector>

#include "compiler/plan/aliases.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

inline constexpr std::uint32_t kParamStream = 0;
inline constexpr std::uint32_t kGradStream = 1;

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
  std::vector<bool> known;  // by node: a condition that is known before it runs. Empty: none is
  std::size_t regrads_come_to = 0;  // by the step, in the passes up to this one
  bool ends_are_known = false;      // whether the call is skipped or held is
};

/// What filling a version has found out.
struct Filled {
  /// False if the pass would need the value of a place before the step that an earlier pass has
  /// overwritten.
  bool is_possible = true;
  /// The condition of a regrad that decides what the pass does or where it finds something, and
  /// about which nothing is assumed. Where it is valid, the version is not one to run.
  ir::NodeId asks;
  /// Other conditions without which folds or values in scratch are of no use.
  std::vector<ir::NodeId> gates;
};

/// Fills nodes, loads, stores and folds of `version`, whose alias is that of `resolved`.
Filled fill_version(const Plan& plan, const std::vector<Stream>& streams, const PassWork& work,
                    const Resolved& resolved, LoopVersion& version);

/// In a version that is filled: a gradient goes by the name of the last one that its place was
/// given, whether the step has waited for that one or not. So it is named alike on all ways.
void name_gradients(const ir::Graph& graph, const PassWork& work, LoopVersion& version);

}  // namespace talweg::plan
