// Removes a flush of a value that cannot be subnormal in either compute type, and flushes what lies
// before a value that is the same once it is flushed: where only one arm of a choice is flushed,
// the choice does not matter.
//
// Only what the arithmetic itself proves counts: param, states, gradients and inputs come from
// outside, where anything may have been written.
#include <cfloat>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewriter.h"

namespace talweg::passes {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

namespace {

class Subnormals {
 public:
  explicit Subnormals(const ir::Graph& graph) : graph_(graph) {}

  /// Nodes are asked about in order, each once, the last being the graph's newest.
  void add(NodeId id) { never_.push_back(is_never(graph_[id])); }
  [[nodiscard]] bool never(NodeId id) const { return never_[id.index]; }

 private:
  [[nodiscard]] bool is_never(const Node& node) const {
    if (node.kind == NodeKind::Flush) return true;
    if (node.kind == NodeKind::Spread) return never(node.operands[0]);
    if (node.kind == NodeKind::ToArray) {
      const Node& scalar = graph_[node.operands[0]];
      // Of a zero, an infinity and a NaN neither type makes a subnormal, nor of a value that
      // float32 holds.
      return scalar.kind == NodeKind::Constant &&
             !(scalar.value != 0 && std::fabs(scalar.value) < FLT_MIN);
    }
    return node.kind == NodeKind::Apply && node.type == ir::ValueType::Array &&
           is_never_apply(node);
  }

  [[nodiscard]] bool is_never_apply(const Node& node) const {
    switch (node.op) {
      // A root of the smallest subnormal is normal, and so is the inverse root of the largest
      // number.
      case Op::Sqrt:
      case Op::Rsqrt:
      // Integral results.
      case Op::Sign:
      case Op::Floor:
      case Op::Ceil:
      case Op::Round:
      case Op::Trunc:
        return true;
      // One of the operands, perhaps with another sign.
      case Op::Neg:
      case Op::Abs:
        return never(node.operands[0]);
      case Op::Min:
      case Op::Max:
        return never(node.operands[0]) && never(node.operands[1]);
      case Op::Select:
        return never(node.operands[1]) && never(node.operands[2]);
      case Op::Add:
      case Op::Sub:
      case Op::Mul:
      case Op::Div:
      case Op::Fma:
      case Op::Mod:
      case Op::Exp:
      case Op::Expm1:
      case Op::Log:
      case Op::Log1p:
      case Op::Log2:
      case Op::Pow:
      case Op::Sin:
      case Op::Cos:
      case Op::Tan:
      case Op::Tanh:
      case Op::Atan:
      case Op::Lt:
      case Op::Le:
      case Op::Gt:
      case Op::Ge:
      case Op::Eq:
      case Op::Ne:
      case Op::And:
      case Op::Or:
      case Op::Not:
      case Op::IsFinite:
        return false;
    }
    return false;
  }

  const ir::Graph& graph_;
  std::vector<bool> never_;
};

/// By node: the first value that is the same once both are flushed.
class Origins {
 public:
  explicit Origins(const ir::Graph& graph) : graph_(graph) {}

  /// As for Subnormals.
  void add(NodeId id) { origins_.push_back(find(id)); }
  NodeId operator[](NodeId id) const { return origins_[id.index]; }

 private:
  [[nodiscard]] NodeId find(NodeId id) const {
    const Node& node = graph_[id];
    if (node.kind == NodeKind::Flush) return (*this)[node.operands[0]];
    if (node.kind != NodeKind::Apply || node.op != Op::Select) return id;
    const NodeId then_origin = (*this)[node.operands[1]];
    const bool is_same = then_origin == (*this)[node.operands[2]];
    return is_same && graph_[then_origin].rate == node.rate ? then_origin : id;
  }

  const ir::Graph& graph_;
  std::vector<NodeId> origins_;
};

}  // namespace

ir::Graph simplify_flush(const ir::Graph& graph) {
  Rewriter rewriter(graph);
  Subnormals subnormals(rewriter.target());
  Origins origins(rewriter.target());
  std::map<NodeId, NodeId> flushed;  // by origin
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    Node node = rewriter.mapped(graph.nodes[i]);
    if (node.kind == NodeKind::Flush && subnormals.never(node.operands[0])) {
      rewriter.replace(NodeId(i), node.operands[0]);
      continue;
    }
    if (node.kind == NodeKind::Flush) {
      const NodeId origin = node.operands[0] = origins[node.operands[0]];
      const auto [place, is_new] =
          flushed.try_emplace(origin, static_cast<std::uint32_t>(rewriter.target().nodes.size()));
      if (!is_new) {
        rewriter.replace(NodeId(i), place->second);
        continue;
      }
    }
    const NodeId id = rewriter.target().add(node);
    subnormals.add(id);
    origins.add(id);
    rewriter.replace(NodeId(i), id);
  }
  return std::move(rewriter).finish();
}

}  // namespace talweg::passes
