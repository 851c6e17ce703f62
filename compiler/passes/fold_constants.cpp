// Computes what is known before the step, and removes operations that change no value.
//
// Known are operations on constants, and selects and logic whose outcome a constant decides.
// Identities are only those that hold for every value, NaN, infinities and both zeros included: x *
// 1, but not x * 0; x - (+0) and x + (-0), but not x + (+0), which makes +0 of -0.
//
// A rounded constant, to_array(c), is a number that depends on the compute type. It counts as known
// where both types agree.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "compiler/builtins/evaluate.h"
#include "compiler/ir/make_node.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewriter.h"

namespace talweg::passes {

using builtins::Op;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::ValueType;

namespace {

class Folder {
 public:
  explicit Folder(ir::Graph& graph) : graph_(graph) {}

  /// The node that stands for `node`, whose operands are in the graph.
  NodeId place(const Node& node) {
    const std::optional<NodeId> known = simplify(node);
    return known ? *known : graph_.add(node);
  }

 private:
  using Known = std::optional<NodeId>;

  Known simplify(const Node& node) {
    if (node.kind == NodeKind::IsNormal) return fold_guard(node.operands[0]);
    if (node.kind != NodeKind::Apply) return std::nullopt;
    if (const Known constant = evaluate(node)) return constant;
    const auto [a, b, c] = node.operands;
    switch (node.op) {
      case Op::Select:
        return simplify_select(a, b, c);
      case Op::Mul:
        if (is_number(a, 1)) return b;
        return is_number(b, 1) ? Known(a) : std::nullopt;
      case Op::Div:
        return is_number(b, 1) ? Known(a) : std::nullopt;
      case Op::Add:
        if (is_number(a, -0.0)) return b;
        return is_number(b, -0.0) ? Known(a) : std::nullopt;
      case Op::Sub:
        return is_number(b, 0) ? Known(a) : std::nullopt;
      case Op::Fma:
        return simplify_fma(a, b, c);
      case Op::Neg:
      case Op::Abs:
        return simplify_sign(node.op, a);
      case Op::Min:
      case Op::Max:
        return a == b ? Known(a) : std::nullopt;
      case Op::And:
      case Op::Or:
        return simplify_logic(node.op, a, b);
      case Op::Not:
        return is_apply(a, Op::Not) ? Known(graph_[a].operands[0]) : std::nullopt;
      case Op::Sqrt:
      case Op::Sign:
      case Op::Floor:
      case Op::Ceil:
      case Op::Round:
      case Op::Trunc:
      case Op::Mod:
      case Op::Rsqrt:
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
      case Op::IsFinite:
        return std::nullopt;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool is_constant(NodeId id) const { return graph_[id].kind == NodeKind::Constant; }
  [[nodiscard]] bool is_apply(NodeId id, Op op) const {
    return graph_[id].kind == NodeKind::Apply && graph_[id].op == op;
  }

  /// Whether a value is this number in both compute types; `number` is exact in float32.
  [[nodiscard]] bool is_number(NodeId id, double number) const {
    const Node& node =
        graph_[id].kind == NodeKind::ToArray ? graph_[graph_[id].operands[0]] : graph_[id];
    return node.kind == NodeKind::Constant && node.type == ValueType::Scalar &&
           node.value == number && std::signbit(node.value) == std::signbit(number);
  }

  Known evaluate(const Node& node) {
    const int count = node.operand_count();
    std::array<double, 3> values{};
    for (int i = 0; i < count; ++i) {
      const NodeId operand = node.operands[static_cast<std::size_t>(i)];
      if (!is_constant(operand)) return std::nullopt;
      values[static_cast<std::size_t>(i)] = graph_[operand].value;
    }
    const double result = builtins::evaluate(node.op, values.data());
    return graph_.add(node.type == ValueType::Bool ? ir::make_truth(result != 0)
                                                   : ir::make_constant(result));
  }

  Known simplify_select(NodeId condition, NodeId then_value, NodeId else_value) {
    if (is_constant(condition)) return graph_[condition].value != 0 ? then_value : else_value;
    if (then_value == else_value) return then_value;
    if (is_apply(condition, Op::Not)) {
      const NodeId opposite = graph_[condition].operands[0];
      return place(ir::make_apply(graph_, Op::Select, {opposite, else_value, then_value}));
    }
    // In an arm the condition is known.
    const NodeId taken_then = arm(condition, then_value, 1);
    const NodeId taken_else = arm(condition, else_value, 2);
    if (taken_then == then_value && taken_else == else_value) return std::nullopt;
    return place(ir::make_apply(graph_, Op::Select, {condition, taken_then, taken_else}));
  }

  [[nodiscard]] NodeId arm(NodeId condition, NodeId value, std::size_t operand) const {
    const bool decided = is_apply(value, Op::Select) && graph_[value].operands[0] == condition;
    return decided ? graph_[value].operands[operand] : value;
  }

  Known simplify_fma(NodeId a, NodeId b, NodeId c) {
    if (is_number(a, 1)) return place(ir::make_apply(graph_, Op::Add, {b, c}));
    if (is_number(b, 1)) return place(ir::make_apply(graph_, Op::Add, {a, c}));
    if (is_number(c, -0.0)) return place(ir::make_apply(graph_, Op::Mul, {a, b}));
    return std::nullopt;
  }

  Known simplify_sign(Op op, NodeId a) {
    const bool of_sign = is_apply(a, Op::Neg) || is_apply(a, Op::Abs);
    if (op == Op::Neg && is_apply(a, Op::Neg)) return graph_[a].operands[0];
    if (op == Op::Abs && of_sign)
      return place(ir::make_apply(graph_, Op::Abs, {graph_[a].operands[0]}));
    // Rounding is symmetric, so the sign of a rounded constant is that of the constant.
    if (graph_[a].kind != NodeKind::ToArray || !is_constant(graph_[a].operands[0]))
      return std::nullopt;
    const double value = graph_[graph_[a].operands[0]].value;
    const NodeId constant =
        graph_.add(ir::make_constant(op == Op::Neg ? -value : std::fabs(value)));
    return graph_.add(ir::make_conversion(graph_, NodeKind::ToArray, {constant}));
  }

  Known simplify_logic(Op op, NodeId a, NodeId b) {
    if (a == b) return a;
    if (is_constant(a)) std::swap(a, b);
    if (!is_constant(b)) return std::nullopt;
    const bool decides = (graph_[b].value != 0) == (op == Op::Or);
    return decides ? b : a;
  }

  /// is_normal(to_array(constant)).
  Known fold_guard(NodeId value) {
    if (graph_[value].kind != NodeKind::ToArray || !is_constant(graph_[value].operands[0]))
      return std::nullopt;
    const double constant = graph_[graph_[value].operands[0]].value;
    const bool in_float64 = std::isnormal(constant);
    const bool in_float32 = std::isnormal(static_cast<float>(constant));
    if (in_float64 != in_float32) return std::nullopt;
    return graph_.add(ir::make_truth(in_float64));
  }

  ir::Graph& graph_;
};

}  // namespace

ir::Graph fold_constants(const ir::Graph& graph) {
  Rewriter rewriter(graph);
  Folder folder(rewriter.target());
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i)
    rewriter.replace(NodeId(i), folder.place(rewriter.mapped(graph.nodes[i])));
  return std::move(rewriter).finish();
}

}  // namespace talweg::passes
