// The plan of a step: scalar code, then passes over memory; where every value lives.
//
// This version has one element pass (no reductions yet); the plan is a list so that more can follow.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/types/compute_type.h"

namespace talweg::plan {

enum class StreamKind : std::uint8_t { Param, Grad, State, Input };

/// One array a pass touches, per tensor. The order of streams is the order of pointers in the ABI's table:
/// param, grad, then element states, then element inputs, in the graph's order (all of them, used or not).
struct Stream {
  StreamKind kind = StreamKind::Param;
  std::uint32_t index = 0;  // state or input
  bool is_read = false;
  bool is_written = false;
  ir::NodeId load;   // the node that reads it, if any
  ir::NodeId value;  // what is stored, if anything
};

/// A scalar kept for later code: 8 bytes in the model's or the group's slot array.
struct Slot {
  ir::NodeId node;  // Scalar, Array (its rounded value) or Bool
};

/// Scalar code of one rate: nodes in order, reading hypers, states, inputs and (for group) model slots.
struct ScalarProgram {
  std::vector<ir::NodeId> nodes;
  std::vector<Slot> slots;  // what it leaves for slower-to-faster users
};

/// A fused pass over all elements of all tensors.
struct ElementPass {
  std::vector<Stream> streams;
  std::vector<ir::NodeId> nodes;    // element-rate nodes, in order
  std::vector<ir::NodeId> scalars;  // slower nodes it reads (each has a model or group slot)
  /// Bool slots on which the loop is specialised: outside the loop one of 2^n versions is chosen.
  std::vector<ir::NodeId> switches;
  std::uint32_t read_bytes_per_element = 0;
  std::uint32_t written_bytes_per_element = 0;
};

struct Plan {
  ir::Graph graph;
  types::ComputeType compute = types::ComputeType::F32;
  ScalarProgram model;
  ScalarProgram group;
  std::vector<ElementPass> passes;
  std::uint32_t state_bytes_per_element = 0;
};

Plan make_plan(ir::Graph graph, types::ComputeType compute);
/// For `talweg dump --stage plan`.
std::string print(const Plan& plan);

}  // namespace talweg::plan
