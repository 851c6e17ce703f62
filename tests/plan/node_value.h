// What one node is worth, for the runner of plans.
#pragma once

#include <optional>

#include "compiler/ir/graph.h"
#include "compiler/ir/interpret.h"
#include "compiler/types/compute_type.h"
#include "tests/ir/whole_step.h"

namespace talweg::tests {

/// From its operands, the last of which is of `last_type`, and what the step is given, `line` being
/// the matrix, row or column of a node of these rates; nothing for what is read from memory or
/// folded.
std::optional<ir::Value> node_value(const ir::Graph& graph, types::ComputeType compute,
                                    ir::NodeId id, const ir::Value* operands,
                                    ir::ValueType last_type, const ir::ScalarContext& scalars,
                                    const TensorCase& tensor, std::size_t line);

}  // namespace talweg::tests
