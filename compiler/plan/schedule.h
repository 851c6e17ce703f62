// Which pass does what: when reductions are known, which pass writes a state, what is kept in
// scratch. Of all schedules with as few passes as possible the one that moves the fewest bytes; of
// those the one without scratch, then the one that stores last.
#pragma once

#include <optional>
#include <vector>

#include "compiler/plan/aliases.h"
#include "compiler/plan/pass_work.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

struct Schedule {
  /// A value that a pass keeps for later ones.
  struct Saved {
    ir::NodeId node;
    std::uint32_t pass = 0;
    std::optional<std::uint32_t> regrad;  // it is saved where the step waits for this one
  };
  std::vector<std::uint32_t> reduction_phases;  // by reduction
  std::vector<std::uint32_t> store_passes;      // by store of the graph; of scalar states unused
  std::vector<Saved> saved;

  // What follows from these.
  std::vector<std::uint32_t> node_phases;
  std::vector<std::uint32_t> regrad_phases;
  std::uint32_t phase_count = 1;
  std::uint32_t end_phase = 0;
  std::optional<std::uint32_t> origin;  // of `saved`: see Plan::origin
};

/// Whether passes may keep values for later ones where they need not.
enum class Scratch : std::uint8_t { WhereItSaves, Never };

/// `plan` has its graph, routes, reductions and partials.
Schedule make_schedule(const Plan& plan, const Aliases& aliases, Scratch scratch);

/// When a bound hyper is known, and whether the call gets as far as its stage.
std::uint32_t binding_phase(const ir::HyperInfo& hyper,
                            const std::vector<std::uint32_t>& node_phases);

/// Streams of every pass; scratch last.
std::vector<Stream> make_streams(const ir::Graph& graph, std::size_t scratch_count);

/// What the pass of a phase does.
PassWork work_of(const Plan& plan, const std::vector<Stream>& streams, const Schedule& schedule,
                 std::uint32_t phase);
/// What the pass over lines of a phase does: it stores nothing.
PassWork line_work_of(const Plan& plan, const std::vector<Stream>& streams,
                      const Schedule& schedule, std::uint32_t phase);

}  // namespace talweg::plan
