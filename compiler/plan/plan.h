// The plan of a step: scalar code, then passes over memory; where every value lives.
//
// This version has one element pass (no reductions yet); the plan is a list so that more can
// follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/types/compute_type.h"

namespace talweg::plan {

enum class StreamKind : std::uint8_t { Param, Grad, State, Input };

/// One array of a tensor. Their order is that of pointers in the ABI's table: param, grad, then
/// element states, then element inputs, in the graph's order (all of them, used or not).
struct Stream {
  StreamKind kind = StreamKind::Param;
  std::uint32_t index = 0;  // of the state or input
  bool is_read = false;     // by some version
  bool is_written = false;
};

/// Scalar code of one rate: nodes in order, reading hypers, states, inputs and (for group) model
/// slots. The model program computes the nodes of rate const and model, the group program those of
/// rate group; Constant nodes stand in every program that reads them. An operand that is not in
/// `nodes` has a model slot. Values that stores of scalar states of this rate, bound hypers of
/// this rate and (model program) the ends of the call need are in `nodes` or have a model slot.
struct ScalarProgram {
  std::vector<ir::NodeId> nodes;
  /// Values it leaves for others, 8 bytes each, in slot order: Scalar, Array (rounded already) or
  /// Bool.
  std::vector<ir::NodeId> slots;
};

struct Assumption {
  ir::NodeId condition;  // Bool; slower than tensor, with a slot (of a Route: of rate tensor)
  bool holds = true;
};

struct StreamStore {
  std::uint32_t stream = 0;
  ir::NodeId value;
};

/// A way that tensors take through the arms of the rule, known when the optimizer is built. Its
/// conditions are Bools of rate tensor over facts.
struct Route {
  std::vector<Assumption> conditions;
};

/// The loop over elements of the tensors of one route under some assumptions on scalar conditions.
/// Under them selects become one of their arms: `alias[n]` is the node that stands for n (n itself
/// if nothing changes). `nodes` are the element-rate nodes left, in order; an operand `o` of one,
/// or the value of a store, stands for alias[o]. What it then is, is in `nodes` or is slower than
/// element rate and has a slot (Constants too). Stores that would write back what was loaded are
/// gone; values of stores have their aliases resolved.
struct LoopVersion {
  std::uint32_t route = 0;
  std::vector<Assumption> assumptions;
  std::vector<ir::NodeId> alias;
  std::vector<ir::NodeId> nodes;
  std::vector<StreamStore> stores;
};

/// A fused pass over all elements of all tensors. Once a chunk, the first version of the tensor's
/// route whose assumptions all hold is chosen; the last of each route has none.
struct ElementPass {
  std::vector<Stream> streams;
  std::vector<Route> routes;  // at least one; every tensor takes exactly one
  std::vector<LoopVersion> versions;
  std::uint32_t read_bytes_per_element = 0;  // of the first version that touches most
  std::uint32_t written_bytes_per_element = 0;
};

struct Plan {
  ir::Graph graph;
  types::ComputeType compute = types::ComputeType::F32;
  ScalarProgram model;
  ScalarProgram group;
  std::vector<ElementPass> passes;
  std::uint32_t state_bytes_per_element = 0;
  /// By view: a step that writes param only (ir::view_step).
  std::vector<Plan> views;
  /// By state: where its initial value is computed for each element, a step that writes it to param
  /// (ir::initial_step); else nothing. Empty if no state has one.
  std::vector<std::optional<Plan>> initials;
};

Plan make_plan(ir::Graph graph, types::ComputeType compute);

/// What one version moves, in all, for one element. `reads` and `writes` say for each stream
/// whether it does.
struct Traffic {
  std::vector<bool> reads, writes;
  std::uint32_t read_bytes = 0;
  std::uint32_t written_bytes = 0;
};
Traffic traffic_of(const Plan& plan, const ElementPass& pass, const LoopVersion& version);

/// By route of a pass: the bytes of state that its tensors keep for each element.
std::vector<std::uint32_t> state_bytes_by_route(const Plan& plan, const ElementPass& pass);

/// For `talweg dump --stage plan`.
std::string print(const Plan& plan);

}  // namespace talweg::plan
