// Each invariant of verify.cpp, broken once: the verifier names the node and what is wrong.
#include "compiler/ir/verify.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "compiler/ir/make_node.h"

namespace talweg::ir {

using builtins::Op;

namespace {

/// param = flush(param - lr * grad), m = grad, mu = lr. Nodes: 0 param, 1 grad, 2 lr, 3 to_array, 4
/// mul, 5 sub, 6 flush, 7 constant, 8 gt (Bool), 9 nesterov.
Graph sample() {
  Graph graph;
  graph.hypers.push_back({.name = "lr", .range = {}, .bound = {}, .unless = {}, .doc = {}});
  graph.hypers.push_back({.name = "nesterov",
                          .kind = HyperInfo::Kind::Bool,
                          .rate = Rate::Model,
                          .range = {},
                          .bound = {},
                          .unless = {},
                          .doc = {}});
  graph.states.push_back({.name = "m", .initial = {}, .kept = {}, .doc = {}});
  graph.states.push_back({.name = "mu", .rate = Rate::Group, .initial = {}, .kept = {}, .doc = {}});
  graph.states.push_back(
      {.name = "best", .rate = Rate::Model, .initial = {}, .kept = {}, .doc = {}});
  graph.inputs.push_back({.name = "loss", .rate = Rate::Model, .doc = {}});
  const NodeId param = graph.add(make_leaf(NodeKind::Param));
  const NodeId grad = graph.add(make_leaf(NodeKind::Grad));
  const NodeId lr = graph.add(make_leaf(graph, NodeKind::Hyper, 0));
  const NodeId rounded = graph.add(make_conversion(graph, NodeKind::ToArray, {lr}));
  const NodeId product = graph.add(make_apply(graph, Op::Mul, {rounded, grad}));
  const NodeId difference = graph.add(make_apply(graph, Op::Sub, {param, product}));
  const NodeId flushed = graph.add(make_conversion(graph, NodeKind::Flush, {difference}));
  graph.add(make_constant(0.5));
  graph.add(make_apply(graph, Op::Gt, {param, grad}));
  graph.add(make_leaf(graph, NodeKind::Hyper, 1));
  graph.stores.push_back({.target = StoreTarget::Param, .value = flushed});
  graph.stores.push_back({.target = StoreTarget::State, .index = 0, .value = grad});
  graph.stores.push_back({.target = StoreTarget::State, .index = 1, .value = lr});
  return graph;
}

/// The first fault of the sample after `change`.
template <class Change>
std::string fault_after(Change&& change) {
  Graph graph = sample();
  change(graph);
  const std::vector<Fault> faults = find_faults(graph);
  return faults.empty() ? "none" : faults.front().message;
}

}  // namespace

TEST_CASE("a good graph has no faults") {
  CHECK(find_faults(sample()).empty());
  CHECK(find_faults(Graph{}).empty());
}

TEST_CASE("names") {
  CHECK(fault_after([](Graph& g) { g.hypers[0].name = ""; }) == "a hyper has no name");
  CHECK(fault_after([](Graph& g) { g.hypers[1].name = "lr"; }) == "two hypers are named `lr`");
  CHECK(fault_after([](Graph& g) { g.states[1].name = "m"; }) == "two states are named `m`");
  CHECK(fault_after([](Graph& g) { g.inputs[0].name = ""; }) == "an input has no name");
  CHECK(fault_after([](Graph& g) { g.inputs[0].name = "m"; }) == "none");
}

TEST_CASE("hypers") {
  CHECK(fault_after([](Graph& g) { g.hypers[1].rate = g.nodes[9].rate = Rate::Tensor; }) ==
        "hyper `nesterov` is of rate tensor");
  CHECK(fault_after([](Graph& g) { g.hypers[0].default_value = std::nan(""); }) ==
        "the default of hyper `lr` is not of its kind");
  CHECK(fault_after([](Graph& g) { g.hypers[1].default_value = 0.5; }) ==
        "the default of hyper `nesterov` is not of its kind");
  CHECK(fault_after([](Graph& g) {
          g.hypers[0].kind = HyperInfo::Kind::Int;
          g.hypers[0].default_value = 0.5;
        }) == "the default of hyper `lr` is not of its kind");
  CHECK(fault_after([](Graph& g) { g.hypers[0].bound = NodeId(99); }) ==
        "hyper `lr` is bound to a node that does not exist");
  CHECK(fault_after([](Graph& g) { g.hypers[0].bound = NodeId(9); }) ==
        "hyper `lr` is bound to a node of type bool");
  CHECK(fault_after([](Graph& g) { g.hypers[1].bound = NodeId(8); }) ==
        "hyper `nesterov` is bound to a node of rate element");
  CHECK(fault_after([](Graph& g) { g.hypers[0].bound = NodeId(7); }) == "none");
}

TEST_CASE("states and inputs") {
  CHECK(fault_after([](Graph& g) { g.states[2].rate = Rate::Const; }) ==
        "state `best` is of rate const");
  CHECK(fault_after([](Graph& g) { g.states[0].initial = NodeId(50); }) ==
        "state `m` starts as a node that does not exist");
  CHECK(fault_after([](Graph& g) { g.states[2].initial = NodeId(0); }) ==
        "state `best` of rate model starts as array of rate element");
  CHECK(fault_after([](Graph& g) { g.states[0].initial = NodeId(1); }) ==
        "state `m` starts as more than constants, hypers, param and facts give");
  CHECK(fault_after([](Graph& g) { g.states[2].initial = NodeId(2); }) ==
        "state `best` of rate model starts as scalar of rate group");
  CHECK(fault_after([](Graph& g) {
          g.states[0].initial = g.add(make_leaf(NodeKind::StepNumber));
        }) == "state `m` starts as more than constants, hypers, param and facts give");
  CHECK(fault_after([](Graph& g) { g.states[0].initial = NodeId(0); }) == "none");
  CHECK(fault_after([](Graph& g) { g.states[0].initial = NodeId(2); }) == "none");
  CHECK(fault_after([](Graph& g) { g.inputs[0].rate = Rate::Group; }) == "none");
  CHECK(fault_after([](Graph& g) { g.inputs[0].rate = Rate::Tensor; }) == "none");
  CHECK(fault_after([](Graph& g) { g.inputs[0].rate = Rate::Row; }) ==
        "input `loss` is of rate row");
  CHECK(fault_after([](Graph& g) { g.inputs[0].rate = Rate::Const; }) ==
        "input `loss` is of rate const");
  CHECK(fault_after([](Graph& g) {
          g.inputs[0].rate = Rate::Row;
          g.split = types::Split::LastTwo;
        }) == "none");
  CHECK(fault_after([](Graph& g) { g.inputs[0].present = NodeId(8); }) ==
        "`loss` is present by bool of rate element, not a bool over facts");
  CHECK(fault_after([](Graph& g) {
          g.requirements.push_back({"rank <= 2", NodeId(9)});
        }) == "`rank <= 2` is present by bool of rate model, not a bool over facts");
}

TEST_CASE("operands") {
  CHECK(fault_after([](Graph& g) { g.nodes[4].operands[1] = NodeId(4); }) ==
        "operand 2 of %4 does not stand before it");
  CHECK(fault_after([](Graph& g) { g.nodes[4].operands[0] = NodeId(); }) ==
        "operand 1 of %4 does not stand before it");
  CHECK(fault_after([](Graph& g) { g.nodes[4].operands[2] = NodeId(0); }) ==
        "%4 has more than its 2 operands");
  CHECK(fault_after([](Graph& g) { g.nodes[0].operands[0] = NodeId(0); }) ==
        "%0 has more than its 0 operands");
}

TEST_CASE("fields") {
  CHECK(fault_after([](Graph& g) { g.nodes[2].index = 2; }) ==
        "%2 names entry 2 of a table that has 2");
  CHECK(fault_after([](Graph& g) { g.nodes[0].index = 1; }) ==
        "%0 names entry 1 of a table that has 1");
  CHECK(fault_after([](Graph& g) { g.nodes[0].value = 1; }) ==
        "%0 sets a field that its kind does not use");
  CHECK(fault_after([](Graph& g) { g.nodes[3].op = Op::Mul; }) ==
        "%3 sets a field that its kind does not use");
}

TEST_CASE("types") {
  CHECK(fault_after([](Graph& g) { g.nodes[4].operands[0] = NodeId(2); }) ==
        "operand 2 of %4 is array, not scalar");
  CHECK(fault_after([](Graph& g) { g.nodes[5].operands[0] = NodeId(8); }) != "none");
  CHECK(fault_after([](Graph& g) { g.nodes[3].operands[0] = NodeId(0); }) ==
        "operand 1 of %3 is array, not scalar");
  CHECK(fault_after([](Graph& g) { g.nodes[6].operands[0] = NodeId(2); }) ==
        "operand 1 of %6 is scalar, not array");
  CHECK(fault_after([](Graph& g) { g.add(make_apply(g, Op::Not, {NodeId(0)})); }) ==
        "operand 1 of %10 is array, not bool");
  CHECK(fault_after([](Graph& g) {
          g.add(make_apply(g, Op::Select, {NodeId(0), NodeId(0), NodeId(1)}));
        }) == "operand 1 of %10 is array, not bool");
  CHECK(fault_after([](Graph& g) {
          g.add(make_apply(g, Op::Select, {NodeId(8), NodeId(0), NodeId(2)}));
        }) == "operand 3 of %10 is scalar, not array");
  CHECK(fault_after([](Graph& g) { g.add(make_apply(g, Op::IsFinite, {NodeId(8)})); }) ==
        "operand 1 of %10 is bool, not a number");
  CHECK(fault_after([](Graph& g) {
          g.add(make_conversion(g, NodeKind::DivScalar, {NodeId(2), NodeId(0)}));
        }) == "operand 1 of %10 is scalar, not array");
  CHECK(fault_after([](Graph& g) { g.nodes[7].type = ValueType::Array; }) ==
        "%7 is array, but its operands make it scalar");
  CHECK(fault_after([](Graph& g) { g.nodes[9].type = ValueType::Scalar; }) ==
        "%9 is scalar, but its operands make it bool");
  CHECK(fault_after([](Graph& g) { g.add(Node{.type = ValueType::Bool, .value = 2}); }) ==
        "%10 is a bool constant that is neither 0 nor 1");
}

TEST_CASE("rates") {
  CHECK(fault_after([](Graph& g) { g.nodes[3].rate = Rate::Element; }) ==
        "%3 is of rate element, but its operands make it group");
  CHECK(fault_after([](Graph& g) { g.nodes[0].rate = Rate::Row; }) ==
        "%0 is of rate row, but its operands make it element");
  CHECK(fault_after([](Graph& g) {
          g.add(make_apply(g, Op::Select, {NodeId(8), NodeId(2), NodeId(7)}));
        }) == "%10 is a scalar of rate element");
}

TEST_CASE("reductions") {
  const auto reduced = [](builtins::Fold fold, Rate over, Rate rate,
                          std::initializer_list<std::uint32_t> operands, std::uint32_t domain) {
    return fault_after([&](Graph& g) {
      g.facts.push_back({.kind = types::FactKind::Rank, .text = {}});
      g.add(make_truth(true));                                 // %10
      g.add(make_leaf(g, NodeKind::Fact, 0));                  // %11: a scalar of rate tensor
      g.add(make_apply(g, Op::Gt, {NodeId(11), NodeId(7)}));   // %12: Bool over facts
      g.add(make_apply(g, Op::And, {NodeId(12), NodeId(9)}));  // %13: not over facts alone
      Node node{.kind = NodeKind::Reduce, .fold = fold, .over = over, .rate = rate};
      std::size_t i = 0;
      for (const std::uint32_t operand : operands) node.operands[i++] = NodeId(operand);
      node.operands[i] = NodeId(domain);
      g.add(node);  // %14
    });
  };
  using builtins::Fold;
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {1}, 10) == "none");
  CHECK(reduced(Fold::Dot, Rate::Element, Rate::Tensor, {0, 1}, 12) == "none");
  CHECK(reduced(Fold::Max, Rate::Tensor, Rate::Group, {11}, 12) == "none");
  CHECK(reduced(Fold::Min, Rate::Group, Rate::Model, {2}, 10) == "none");
  CHECK(reduced(Fold::Count, Rate::Element, Rate::Group, {}, 10) == "none");
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {3}, 10) == "none");  // slower than it need
  // Operands: numbers of the type and rate that `over` asks for.
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {2}, 10) ==
        "operand 1 of %14 is scalar, not array");
  CHECK(reduced(Fold::Sum, Rate::Tensor, Rate::Model, {1}, 10) ==
        "operand 1 of %14 is array, not scalar");
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {8}, 10) ==
        "operand 1 of %14 is bool, not array");
  CHECK(reduced(Fold::Dot, Rate::Element, Rate::Model, {1, 2}, 10) ==
        "operand 2 of %14 is scalar, not array");
  CHECK(reduced(Fold::Sum, Rate::Group, Rate::Model, {11}, 10) ==
        "%14 reduces over group, and its operand is of rate tensor");
  // The tensors it counts.
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {1}, 8) ==
        "the tensors of %14 are no bool over facts");
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {1}, 11) ==
        "the tensors of %14 are no bool over facts");
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {1}, 13) ==
        "the tensors of %14 are no bool over facts");
  CHECK(reduced(Fold::Dot, Rate::Element, Rate::Model, {1}, 10) != "none");
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Model, {0, 1}, 10) ==
        "%14 has more than its 2 operands");
  // It is slower than what it reduces over.
  CHECK(reduced(Fold::Sum, Rate::Tensor, Rate::Tensor, {11}, 10) ==
        "%14 reduces from rate tensor to rate tensor");
  CHECK(reduced(Fold::Sum, Rate::Group, Rate::Tensor, {2}, 10) ==
        "%14 reduces from rate group to rate tensor");
  CHECK(reduced(Fold::Sum, Rate::Element, Rate::Const, {1}, 10) ==
        "%14 reduces from rate element to rate const");
  CHECK(fault_after([](Graph& g) { g.nodes[4].fold = Fold::Max; }) ==
        "%4 sets a field that its kind does not use");
  CHECK(fault_after([](Graph& g) { g.nodes[4].over = Rate::Element; }) ==
        "%4 sets a field that its kind does not use");
}

TEST_CASE("stores") {
  const auto stored = [](Store store) {
    return fault_after([&](Graph& g) { g.stores.push_back(store); });
  };
  CHECK(stored({.target = StoreTarget::Param, .value = NodeId(0)}) == "`param` is stored twice");
  CHECK(stored({.target = StoreTarget::State, .index = 1, .value = NodeId(2)}) ==
        "`mu` is stored twice");
  CHECK(stored({.target = StoreTarget::State, .index = 3, .value = NodeId(2)}) ==
        "a store names state 3 of 3");
  CHECK(stored({.target = StoreTarget::State, .index = 2, .value = {}}) ==
        "`best` is stored from a node that does not exist");
  CHECK(stored({.target = StoreTarget::State, .index = 2, .value = NodeId(2)}) ==
        "`best` takes scalar of rate model, and is stored from scalar of rate group");
  CHECK(stored({.target = StoreTarget::State, .index = 2, .value = NodeId(9)}) ==
        "`best` takes scalar of rate model, and is stored from bool of rate model");
  CHECK(stored({.target = StoreTarget::State, .index = 2, .value = NodeId(7)}) == "none");
  CHECK(fault_after([](Graph& g) { g.stores[0].value = NodeId(2); }) ==
        "`param` takes array of rate element, and is stored from scalar of rate group");
  CHECK(fault_after([](Graph& g) { g.stores[0].value = NodeId(3); }) == "none");
}

TEST_CASE("regrads") {
  // %9 is a bool of rate model, %6 an array, %10 the new gradient.
  const auto regrad = [](auto change) {
    return fault_after([&](Graph& g) {
      Node gradient = make_leaf(NodeKind::Grad);
      gradient.index = 1;
      g.regrads.push_back({NodeId(9), NodeId(6), {}});
      g.regrads[0].gradient = g.add(gradient);
      change(g);
    });
  };
  CHECK(regrad([](Graph&) {}) == "none");
  CHECK(regrad([](Graph& g) { g.regrads[0].param = NodeId(99); }) ==
        "regrad 1 has a node that does not exist");
  CHECK(regrad([](Graph& g) { g.regrads[0].condition = {}; }) ==
        "regrad 1 has a node that does not exist");
  CHECK(regrad([](Graph& g) { g.regrads[0].condition = NodeId(8); }) ==
        "regrad 1 is decided by no bool of rate model");
  CHECK(regrad([](Graph& g) { g.regrads[0].param = NodeId(2); }) ==
        "regrad 1 leaves no array in param");
  CHECK(regrad([](Graph& g) { g.regrads[0].gradient = NodeId(1); }) ==
        "%1 is not the gradient of regrad 1");
  CHECK(regrad([](Graph& g) {
          g.regrads[0].param = g.add(make_conversion(g, NodeKind::Flush, {NodeId(6)}));
        }) == "%10 stands before what regrad 1 needs");
  CHECK(regrad([](Graph& g) { g.add(make_leaf(NodeKind::Grad)); }) ==
        "%11 stands behind a later gradient");
  CHECK(regrad([](Graph& g) { g.stores.erase(g.stores.begin()); }) ==
        "a regrad moves param, which is not stored");
  CHECK(regrad([](Graph& g) {
          g.stores.erase(g.stores.begin());
          g.regrads[0].param = NodeId(0);
        }) == "none");
  CHECK(regrad([](Graph& g) { g.regrads.clear(); }) == "%10 names entry 1 of a table that has 1");
}

TEST_CASE("ends of the call") {
  // %9 is a bool of rate model, %7 a constant.
  CHECK(fault_after([](Graph& g) { g.skipped = g.held = g.states[0].kept = NodeId(9); }) == "none");
  CHECK(fault_after([](Graph& g) { g.skipped = NodeId(7); }) ==
        "`skipped` is scalar of rate const, not bool of rate model");
  CHECK(fault_after([](Graph& g) {
          g.held = g.add(make_apply(g, Op::Gt, {NodeId(2), NodeId(2)}));
        }) == "`held` is bool of rate group, not bool of rate model");
  CHECK(fault_after([](Graph& g) { g.held = NodeId(99); }) ==
        "`held` is a node that does not exist");
  CHECK(fault_after([](Graph& g) { g.states[0].kept = NodeId(9); }) ==
        "state `m` has `kept`, but no step is skipped");
  CHECK(fault_after([](Graph& g) { g.hypers[0].unless = NodeId(9); }) ==
        "hyper `lr` has `unless`, but is not bound");
}

TEST_CASE("a graph with many faults lists the first ones") {
  Graph graph = sample();
  for (int i = 0; i < 100; ++i) graph.add(Node{.type = ValueType::Bool, .value = 2});
  CHECK(find_faults(graph).size() == 20);
}

TEST_CASE("views: arrays of what is there between steps") {
  const auto view = [](Graph& graph, std::uint32_t node) {
    graph.views.push_back({.name = "seen", .value = NodeId(node), .doc = {}});
  };
  CHECK(fault_after([&](Graph& graph) { view(graph, 0); }) == "none");
  CHECK(fault_after([&](Graph& graph) { view(graph, 3); }) == "none");
  CHECK(fault_after([&](Graph& graph) { view(graph, 2); }) == "view `seen` is scalar, not array");
  CHECK(fault_after([&](Graph& graph) { view(graph, 99); }) ==
        "view `seen` is a node that does not exist");
  CHECK(fault_after([&](Graph& graph) { graph.views.push_back({}); }) == "a view has no name");
  CHECK(fault_after([&](Graph& graph) {
          view(graph, 0);
          view(graph, 0);
        }) == "two views are named `seen`");
  const std::string sees_more =
      "view `seen` sees more than param, states, hypers and the step number";
  CHECK(fault_after([&](Graph& graph) { view(graph, 4); }) == sees_more);
  CHECK(fault_after([&](Graph& graph) {
          graph.hypers[0].bound = NodeId(7);
          view(graph, 3);
        }) == sees_more);
  for (const NodeKind kind : {NodeKind::CallNumber, NodeKind::Input}) {
    CHECK(fault_after([&](Graph& graph) {
            const NodeId leaf = kind == NodeKind::Input ? graph.add(make_leaf(graph, kind, 0))
                                                        : graph.add(make_leaf(kind));
            view(graph, graph.add(make_conversion(graph, NodeKind::ToArray, {leaf})).index);
          }) == sees_more);
  }
}

TEST_CASE("a view as a step stores it to param and nothing else") {
  Graph graph = sample();
  graph.hypers[1].bound = NodeId(9);
  graph.states[0].initial = NodeId(0);
  graph.views.push_back({.name = "rate", .value = NodeId(3), .doc = {}});
  const Graph step = view_step(graph, 0);
  CHECK(find_faults(step).empty());
  REQUIRE(step.stores.size() == 1);
  CHECK(step.stores[0].target == StoreTarget::Param);
  CHECK(step.stores[0].value == NodeId(3));
  CHECK(step.views.empty());
  CHECK_FALSE(step.hypers[1].bound.valid());
  CHECK_FALSE(step.states[0].initial.valid());
}

}  // namespace talweg::ir
