// The plan of a step: phases, each scalar code and then a pass over memory; where every value
// lives.
//
// A reduction is known one phase after the pass that sees its operands. A value that a later phase
// needs is computed again from what is in memory then, or read back: from the place of a state that
// an earlier pass has written, or from scratch.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/types/compute_type.h"

namespace talweg::plan {

enum class StreamKind : std::uint8_t { Param, Grad, State, Input, Scratch };

/// One array of a tensor. Their order is that of pointers in the ABI's table: param, grad, then
/// element states, then element inputs, in the graph's order (all of them, used or not), then
/// scratch.
struct Stream {
  StreamKind kind = StreamKind::Param;
  std::uint32_t index = 0;  // of the state or input; of scratch, from 0
  bool is_read = false;     // by some version of the pass
  bool is_written = false;
};

/// Scalar code of one rate and phase: nodes in order, reading what it is given and slots of other
/// programs. Nodes of rate const count as model; Constant nodes stand in every program that reads
/// them. An operand that is not in `nodes` has a slot.
struct ScalarProgram {
  std::vector<ir::NodeId> nodes;
  std::vector<std::uint32_t> stores;    // of the graph: to states of this rate
  std::vector<std::uint32_t> hypers;    // that it binds
  std::vector<std::uint32_t> partials;  // that it leaves: of the plan's for this rate
  std::vector<std::uint32_t> slots;     // that it fills: of the plan's for this rate
  bool says_end = false;                // how the call ends (model program of the end phase)
  std::optional<std::uint32_t> regrad;  // of the graph's: whether the step waits behind this phase

  [[nodiscard]] bool is_empty() const {
    return nodes.empty() && stores.empty() && hypers.empty() && partials.empty() && slots.empty() &&
           !says_end && !regrad;
  }
};

struct Assumption {
  ir::NodeId condition;  // Bool; up to rate tensor, with a slot (of a Route: over facts)
  bool holds = true;
  bool operator==(const Assumption&) const = default;
};

struct StreamStore {
  std::uint32_t stream = 0;
  ir::NodeId value;
  bool operator==(const StreamStore&) const = default;
};

struct StreamLoad {
  std::uint32_t stream = 0;
  ir::NodeId node;
  bool operator==(const StreamLoad&) const = default;
};

/// A way that tensors take through the arms of the rule, known when the optimizer is built. Its
/// conditions are Bools over facts.
struct Route {
  std::vector<Assumption> conditions;
};

/// What reductions fold, by who leaves it: passes over elements leave folds of all the values of a
/// chunk, of a row, or of a column within a row block; scalar programs the one value of a group,
/// tensor, matrix, row or column.
enum class PartialKind : std::uint8_t {
  Chunk,
  LineRow,
  LineBlock,
  Group,
  Tensor,
  Matrix,
  Row,
  Col
};
inline constexpr std::size_t kPartialKinds = 8;

struct Partial {
  builtins::Fold fold = builtins::Fold::Sum;
  ir::NodeId a, b;                     // b: of a dot product
  std::vector<ir::NodeId> reductions;  // that fold it
  /// Where it goes in the ABI's table: LineRow and Row share that of rows. Of a LineBlock, the
  /// columns that its blocks make, in that of columns, which Col shares.
  std::uint32_t place = 0;
};

/// A partial result that a loop over elements leaves; its operands with their aliases resolved.
struct ElementFold {
  PartialKind kind = PartialKind::Chunk;  // Chunk, LineRow or LineBlock
  std::uint32_t partial = 0;              // of the plan's of this kind
  ir::NodeId a, b;
  bool operator==(const ElementFold&) const = default;
};

/// The loop over elements of the tensors of one route under some assumptions on scalar conditions.
/// Under them selects become one of their arms: `alias[n]` is the node that stands for n (n itself
/// if nothing changes). `nodes` are the nodes faster than tensor left, in order; an operand `o` of
/// one, or the value of a store or fold, stands for alias[o]. What it then is, is in `nodes` or has
/// a slot (Constants too). Nodes in `loads` are read from memory, the others computed. Stores that
/// would write back what was loaded are gone; values of stores have their aliases resolved.
struct LoopVersion {
  std::uint32_t route = 0;
  std::vector<Assumption> assumptions;
  bool is_fallback = false;  // for when guards fail, which is rare
  std::vector<ir::NodeId> alias;
  std::vector<ir::NodeId> nodes;
  std::vector<StreamLoad> loads;
  std::vector<StreamStore> stores;
  std::vector<ElementFold> folds;
};

/// A fused pass over all elements of all tensors. Once a chunk, the first version of the tensor's
/// route whose assumptions all hold is chosen; the last of each route has none.
struct ElementPass {
  std::vector<Stream> streams;
  std::vector<LoopVersion> versions;
  std::uint32_t read_bytes_per_element = 0;  // of the first version that touches most
  std::uint32_t written_bytes_per_element = 0;
};

/// The rates of scalar programs, slower ones first. Values per row and column are computed for many
/// at a time.
enum class Level : std::uint8_t { Model, Group, Tensor, Matrix, Row, Col };
inline constexpr std::size_t kLevels = 6;
Level level_of(ir::Rate rate);  // of any but element

/// What the program of a level from group on leaves for reductions.
PartialKind kind_left_by(Level level);

struct Phase {
  std::array<ScalarProgram, kLevels> programs;
  std::optional<ElementPass> lines;  // leaves folds of rows and columns; nothing: there are none
  std::optional<ElementPass> pass;   // nothing: no element has anything to do

  [[nodiscard]] const ScalarProgram& operator[](Level level) const {
    return programs[static_cast<std::size_t>(level)];
  }
};

/// A reduction of the graph and where its values come from.
struct PlannedReduction {
  ir::NodeId node;
  std::uint32_t phase = 0;  // in which it is known
  PartialKind kind = PartialKind::Chunk;
  std::uint32_t partial = 0;  // of the plan's of this kind; unless it counts
};

struct Plan {
  ir::Graph graph;
  types::ComputeType compute = types::ComputeType::F32;
  std::vector<Route> routes;  // at least one; every tensor takes exactly one
  std::vector<Phase> phases;  // at least one
  /// By level: values that programs leave for others, in slot order: Scalar, Array (rounded
  /// already) or Bool.
  std::array<std::vector<ir::NodeId>, kLevels> slots;
  std::vector<PlannedReduction> reductions;  // in the order of find_reductions
  std::array<std::vector<Partial>, kPartialKinds> partials;
  std::vector<std::uint32_t> node_phases;  // by node: when its value is known
  std::uint32_t end_phase = 0;             // when it is known how the call ends
  std::vector<ir::NodeId> scratch;         // what each scratch stream holds
  /// By regrad: the phase behind which the step waits. Until the last of them passes store nothing
  /// but scratch and, in these phases, param.
  std::vector<std::uint32_t> regrad_phases;
  /// Of scratch: what holds param as the step found it, from the first of these phases on. Nothing
  /// where none stores param.
  std::optional<std::uint32_t> origin;
  std::uint32_t state_bytes_per_element = 0;
  /// By view: a step that writes param only (ir::view_step). `graph` has no views, and no initial
  /// values of `initials`.
  std::vector<Plan> views;
  /// By state: where its initial value takes a run over tensors, a step that stores it
  /// (ir::initial_step); else nothing. Empty if no state has one.
  std::vector<std::optional<Plan>> initials;

  [[nodiscard]] const std::vector<ir::NodeId>& slots_of(Level level) const {
    return slots[static_cast<std::size_t>(level)];
  }
  [[nodiscard]] const std::vector<Partial>& partials_of(PartialKind kind) const {
    return partials[static_cast<std::size_t>(kind)];
  }
};

Plan make_plan(const ir::Graph& graph, types::ComputeType compute);

/// Streams of every pass, used or not.
std::size_t stream_count(const Plan& plan);

/// What one version moves, in all, for one element. `reads` and `writes` say for each stream
/// whether it does.
struct Traffic {
  std::vector<bool> reads, writes;
  std::uint32_t read_bytes = 0;
  std::uint32_t written_bytes = 0;
};
Traffic traffic_of(const Plan& plan, const ElementPass& pass, const LoopVersion& version);

/// By route: the bytes of state that its tensors keep for each element.
std::vector<std::uint32_t> state_bytes_by_route(const Plan& plan);

/// Bytes that all passes together read and write for one element.
struct Bytes {
  std::uint32_t read = 0, written = 0;
  [[nodiscard]] std::uint32_t total() const { return read + written; }
  bool operator==(const Bytes&) const = default;
};
Bytes bytes_per_element(const Plan& plan);

/// For `talweg dump --stage plan`.
std::string print(const Plan& plan);

}  // namespace talweg::plan
