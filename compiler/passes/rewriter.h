// Builds a graph from another, node by node: what every pass that replaces nodes needs.
#pragma once

#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::passes {

/// Starts with the source's tables and no nodes. Each source node is given its node in the target,
/// in order.
class Rewriter {
 public:
  explicit Rewriter(const ir::Graph& source);

  ir::Graph& target() { return target_; }
  /// The source node with operands that are nodes of the target. Its rate may fall with theirs.
  [[nodiscard]] ir::Node mapped(const ir::Node& node) const;
  /// From here on `source` is `target`. Where tensors that are no matrices have a value for the one
  /// and not for the other, it is spread.
  void replace(ir::NodeId source, ir::NodeId target);
  /// Tables and stores, pointing at the nodes of the target.
  ir::Graph finish() &&;

 private:
  void remap(ir::NodeId& id) const {
    if (id.valid()) id = map_[id.index];
  }

  ir::Graph target_;
  std::vector<ir::NodeId> map_;
  std::vector<bool> is_of_elements_;  // by source node
};

}  // namespace talweg::passes
