// Graphs written by hand; see sample_graphs.h.
#include "tests/codegen/sample_graphs.h"

#include "compiler/ir/make_node.h"

namespace talweg::tests {

namespace {

using builtins::Op;
using ir::NodeId;
using ir::NodeKind;

class Builder {
 public:
  explicit Builder(const char* name) { graph_.name = name; }

  NodeId hyper(const char* name, double value) {
    ir::HyperInfo info;
    info.name = name;
    info.default_value = value;
    graph_.hypers.push_back(info);
    return leaf(NodeKind::Hyper, graph_.hypers.size() - 1);
  }
  NodeId state(const char* name) {
    ir::StateInfo info;
    info.name = name;
    graph_.states.push_back(info);
    return leaf(NodeKind::State, graph_.states.size() - 1);
  }
  NodeId leaf(NodeKind kind) { return graph_.add(ir::make_leaf(kind)); }
  NodeId leaf(NodeKind kind, std::size_t index) {
    return graph_.add(ir::make_leaf(graph_, kind, static_cast<std::uint32_t>(index)));
  }
  NodeId number(double value) { return graph_.add(ir::make_constant(value)); }
  NodeId apply(Op op, std::initializer_list<NodeId> operands) {
    return graph_.add(ir::make_apply(graph_, op, operands));
  }
  NodeId array(NodeId scalar) {
    return graph_.add(ir::make_conversion(graph_, NodeKind::ToArray, {scalar}));
  }
  NodeId div_scalar(NodeId a, NodeId s) {
    return graph_.add(ir::make_conversion(graph_, NodeKind::DivScalar, {a, s}));
  }
  NodeId flushed(NodeId a) { return graph_.add(ir::make_conversion(graph_, NodeKind::Flush, {a})); }
  void store_param(NodeId value) { graph_.stores.push_back({ir::StoreTarget::Param, 0, value}); }
  void store_state(std::uint32_t index, NodeId value) {
    graph_.stores.push_back({ir::StoreTarget::State, index, value});
  }
  ir::Graph take() { return std::move(graph_); }

 private:
  ir::Graph graph_;
};

}  // namespace

ir::Graph adamw_graph() {
  Builder b("AdamW");
  const NodeId lr = b.hyper("lr", 1e-3);
  const NodeId beta1 = b.hyper("beta1", 0.9);
  const NodeId beta2 = b.hyper("beta2", 0.999);
  const NodeId eps = b.hyper("eps", 1e-8);
  const NodeId decay = b.hyper("weight_decay", 1e-2);
  const NodeId m0 = b.state("m");
  const NodeId v0 = b.state("v");
  const NodeId param = b.leaf(NodeKind::Param);
  const NodeId grad = b.leaf(NodeKind::Grad);
  const NodeId t = b.leaf(NodeKind::StepNumber);
  const NodeId one = b.number(1);
  const auto average = [&](NodeId beta, NodeId old, NodeId value) {
    const NodeId fresh = b.apply(Op::Mul, {b.array(b.apply(Op::Sub, {one, beta})), value});
    return b.flushed(b.apply(Op::Fma, {b.array(beta), old, fresh}));
  };
  const auto corrected = [&](NodeId beta, NodeId value) {
    return b.div_scalar(value, b.apply(Op::Sub, {one, b.apply(Op::Pow, {beta, t})}));
  };
  const NodeId m = average(beta1, m0, grad);
  const NodeId v = average(beta2, v0, b.apply(Op::Mul, {grad, grad}));
  const NodeId shrink = b.apply(Op::Neg, {b.array(b.apply(Op::Mul, {lr, decay}))});
  const NodeId decayed = b.flushed(b.apply(Op::Fma, {shrink, param, param}));
  const NodeId divisor = b.apply(Op::Add, {b.apply(Op::Sqrt, {corrected(beta2, v)}), b.array(eps)});
  const NodeId direction = b.apply(Op::Mul, {b.array(lr), corrected(beta1, m)});
  const NodeId update = b.apply(Op::Div, {direction, divisor});
  b.store_param(b.flushed(b.apply(Op::Sub, {decayed, update})));
  b.store_state(0, m);
  b.store_state(1, v);
  return b.take();
}

ir::Graph operation_graph(Op op) {
  const builtins::OpInfo& row = builtins::info(op);
  Builder b("operation");
  const NodeId m = b.state("m");
  b.state("r");
  const NodeId param = b.leaf(NodeKind::Param);
  const NodeId grad = b.leaf(NodeKind::Grad);
  const NodeId zero = b.array(b.number(0));
  const NodeId holds = b.apply(Op::Lt, {param, zero});
  const NodeId other = b.apply(Op::Ge, {grad, m});
  const auto result = [&] {
    switch (row.signature) {
      case builtins::Signature::Choice:
        return b.apply(op, {holds, grad, m});
      case builtins::Signature::Logic:
        return row.arity == 1 ? b.apply(op, {holds}) : b.apply(op, {holds, other});
      case builtins::Signature::Numbers:
      case builtins::Signature::Comparison:
      case builtins::Signature::Predicate:
        break;
    }
    if (row.arity == 1) return b.apply(op, {grad});
    return row.arity == 2 ? b.apply(op, {param, grad}) : b.apply(op, {param, grad, m});
  }();
  const bool is_number =
      row.signature == builtins::Signature::Numbers || row.signature == builtins::Signature::Choice;
  const NodeId value = is_number ? result : b.apply(Op::Select, {result, grad, m});
  b.store_param(b.flushed(value));
  b.store_state(1, value);
  return b.take();
}

}  // namespace talweg::tests
