// A plan in words: who computes what, what every pass moves and for whom, where states live.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/plan/plan.h"

namespace talweg::plan {

/// The condition of what never happens: of a state that no tensor keeps, say.
inline constexpr const char* kNever = "false";

/// Values that scalar code leaves for others, and what else it does.
struct ProgramDescription {
  Level level = Level::Model;
  std::vector<std::string> computes;  // without mere hypers and constants
  std::vector<std::string> binds;     // hypers
  std::vector<std::string> stores;    // states
  std::vector<std::string> leaves;    // folds of its values
  std::vector<std::string> ends;      // "skips where ...", "holds where ..."
};

/// A version of a loop.
struct LoopDescription {
  std::string condition;                   // empty: otherwise
  bool multiplies_by_reciprocals = false;  // in place of divisions by scalars
  bool divides_instead = false;            // where another could not multiply
  std::vector<std::string> reads, writes;  // arrays by name
  Bytes bytes;
  bool operator==(const LoopDescription&) const = default;
};

/// What a pass does for tensors of one route, in the loop that moves most.
struct RouteOfPass {
  std::uint32_t route = 0;
  std::vector<std::string> reads, writes;  // arrays by name
  std::vector<std::string> leaves;         // reductions that it folds values for
  std::vector<std::string> reads_back;     // values that an earlier pass has left in memory
  std::vector<std::string> computes_again;
  std::uint32_t operations = 0;        // for each element
  std::uint32_t operations_again = 0;  // of these, what an earlier pass has computed too
  Bytes bytes;
  std::vector<LoopDescription> loops;  // that some call may take
  bool operator==(const RouteOfPass&) const = default;
};

struct PassDescription {
  bool is_over_lines = false;       // row by row, only of tensors that are matrices
  std::vector<RouteOfPass> routes;  // that have something to do
};

struct PhaseDescription {
  std::vector<std::string> known;     // reductions that earlier passes and programs left
  std::optional<ir::Rate> waits_for;  // the slowest of what they reduce to; nothing: first phase
  std::vector<ProgramDescription> programs;  // with something to do
  std::vector<PassDescription> passes;
  /// Behind it the call may return, so that the caller computes a gradient where param is then:
  /// where this condition holds; empty: always; kNever: in no call.
  std::optional<std::string> returns_where;
  Bytes bytes;  // of the route that moves most in all phases
};

struct RouteDescription {
  std::string condition;  // empty: all tensors
  Bytes bytes;            // of all passes
  std::uint32_t state_bytes = 0;
};

struct StateDescription {
  std::string name;
  ir::Rate rate = ir::Rate::Element;
  std::uint32_t bytes = 0;  // for each parameter, row, tensor, ...
  std::string condition;    // tensors that keep it; empty: all
};

struct ScratchDescription {
  std::string holds;
  std::uint32_t bytes = 0;  // for each parameter
};

struct ViewDescription {
  std::string name;
  Bytes bytes;
};

struct Description {
  std::string name;
  types::ComputeType compute = types::ComputeType::F32;
  std::vector<RouteDescription> routes;  // at least one
  std::vector<PhaseDescription> phases;
  std::vector<StateDescription> states;
  std::vector<ScratchDescription> scratch;
  std::vector<ViewDescription> views;
  Bytes bytes;  // for each parameter on the route that moves most
  /// By rate, for each parameter, column, row, matrix, tensor, group and model; element states are
  /// those of the route that keeps most.
  std::vector<std::pair<ir::Rate, std::uint32_t>> state_bytes;
};

Description describe(const Plan& plan);

}  // namespace talweg::plan
