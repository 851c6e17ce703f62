// Every rule by which a typed rule becomes a graph: what is stored, written as one expression of
// the graph.
#include "compiler/ir/build_graph.h"

#include <catch2/catch.hpp>
#include <string>

#include "compiler/base/diagnostics.h"
#include "compiler/ir/verify.h"
#include "tests/ir/rule_builder.h"

namespace talweg::ir {

using sema::SymbolKind;
using tests::Op;
using tests::RuleBuilder;
using types::Rate;

namespace {

/// A value as nested operations, by the names of the graph: "fma(neg(param), to_array(lr), grad)".
std::string text_of(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  const auto call = [&](std::string name) {
    name += '(';
    for (int i = 0; i < node.operand_count(); ++i)
      name += (i > 0 ? ", " : "") + text_of(graph, node.operands[static_cast<std::size_t>(i)]);
    return name + ')';
  };
  switch (node.kind) {
    case NodeKind::Constant:
      if (node.type == ValueType::Bool) return node.value != 0 ? "true" : "false";
      return types::number_text(node.value);
    case NodeKind::Param:
      return "param";
    case NodeKind::Grad:
      return "grad";
    case NodeKind::State:
      return graph.states[node.index].name;
    case NodeKind::Input:
      return graph.inputs[node.index].name;
    case NodeKind::Given:
      return "given(" + graph.inputs[node.index].name + ")";
    case NodeKind::Hyper:
      return graph.hypers[node.index].name;
    case NodeKind::StepNumber:
      return "t";
    case NodeKind::CallNumber:
      return "calls";
    case NodeKind::Fact:
      return types::to_text(graph.facts[node.index].kind);
    case NodeKind::Apply:
      return call(std::string(builtins::info(node.op).name));
    case NodeKind::ToArray:
      return call("to_array");
    case NodeKind::DivScalar:
      return call("div_scalar");
    case NodeKind::IsNormal:
      return call("is_normal");
    case NodeKind::Flush:
      return call("flush");
    case NodeKind::Spread:
      return call("spread");
    case NodeKind::Reduce:
      return call(std::string(builtins::info(node.fold).name) + "_per_" +
                  std::string(types::to_text(node.rate)));
  }
  return "?";
}

Graph build(const RuleBuilder& rule) {
  base::Diagnostics diagnostics;
  Graph graph = build_graph(rule.rule, diagnostics);
  REQUIRE(!diagnostics.has_errors());
  REQUIRE(find_faults(graph).empty());
  return graph;
}

std::string stored(const Graph& graph, StoreTarget target, std::uint32_t index = 0) {
  for (const Store& store : graph.stores)
    if (store.target == target && store.index == index) return text_of(graph, store.value);
  return "nothing";
}

std::string stored_param(const RuleBuilder& rule) {
  return stored(build(rule), StoreTarget::Param);
}

std::string stored_state(const RuleBuilder& rule, std::uint32_t index = 0) {
  return stored(build(rule), StoreTarget::State, index);
}

/// Symbols to write expressions with: Arrays p, g; Scalars a, b (rate group), t (rate model).
struct Fixture : RuleBuilder {
  tests::TypedExprId p = param(), g = grad(), a = hyper("a"), b = hyper("b"), step_number = t();

  tests::TypedExprId mul(tests::TypedExprId x, tests::TypedExprId y) {
    return apply(Op::Mul, {x, y});
  }
  tests::TypedExprId plus(tests::TypedExprId x, tests::TypedExprId y) {
    return apply(Op::Add, {x, y});
  }
  tests::TypedExprId minus(tests::TypedExprId x, tests::TypedExprId y) {
    return apply(Op::Sub, {x, y});
  }

  /// The graph of an expression of Array or Scalar type, as it is stored to a state of its own.
  std::string array(tests::TypedExprId value) {
    Fixture copy = *this;
    copy.rule.states.clear();
    copy.step(set(copy.state("m"), value));
    const std::string text = stored_state(copy);
    REQUIRE(text.starts_with("flush("));
    return text.substr(6, text.size() - 7);
  }
  std::string scalar(tests::TypedExprId value) {
    Fixture copy = *this;
    copy.rule.states.clear();
    copy.step(set(copy.state("s", Rate::Group), value));
    return stored_state(copy);
  }
};

}  // namespace

TEST_CASE("a scalar is rounded where it becomes an operand of an array operation") {
  Fixture f;
  CHECK(f.array(f.plus(f.p, f.a)) == "add(param, to_array(a))");
  CHECK(f.array(f.mul(f.a, f.p)) == "mul(to_array(a), param)");
  // As the source associates: (a * b) * g rounds the product of float64, a * (b * g) each factor.
  CHECK(f.array(f.mul(f.mul(f.a, f.b), f.g)) == "mul(to_array(mul(a, b)), grad)");
  CHECK(f.array(f.mul(f.a, f.mul(f.b, f.g))) == "mul(to_array(a), mul(to_array(b), grad))");
  CHECK(f.array(f.apply(Op::Min, {f.a, f.p})) == "min(to_array(a), param)");
  CHECK(f.array(f.apply(Op::Max, {f.p, f.number(0)})) == "max(param, to_array(0))");
  CHECK(f.scalar(f.plus(f.a, f.step_number)) == "add(a, t)");
  CHECK(f.array(f.choose(f.apply(Op::Gt, {f.p, f.number(0)}), f.a, f.p)) ==
        "select(gt(param, to_array(0)), to_array(a), param)");
  // A choice per element makes arrays of its scalars.
  CHECK(f.array(f.choose(f.apply(Op::Gt, {f.p, f.g}), f.a, f.number(1))) ==
        "select(gt(param, grad), to_array(a), to_array(1))");
  CHECK(f.scalar(f.choose(f.apply(Op::Gt, {f.a, f.b}), f.a, f.number(1))) ==
        "select(gt(a, b), a, 1)");
  CHECK(f.array(f.choose(f.apply(Op::IsFinite, {f.p}), f.p, f.number(0))) ==
        "select(is_finite(param), param, to_array(0))");
}

TEST_CASE("sums contract with a product on the right, else one on the left") {
  Fixture f;
  const auto ab = f.mul(f.p, f.g);
  const auto cd = f.mul(f.g, f.g);
  CHECK(f.array(f.plus(f.p, ab)) == "fma(param, grad, param)");
  CHECK(f.array(f.plus(ab, f.p)) == "fma(param, grad, param)");
  CHECK(f.array(f.plus(ab, cd)) == "fma(grad, grad, mul(param, grad))");
  CHECK(f.array(f.minus(f.p, ab)) == "fma(neg(param), grad, param)");
  CHECK(f.array(f.minus(ab, f.p)) == "fma(param, grad, neg(param))");
  CHECK(f.array(f.minus(ab, cd)) == "sub(mul(param, grad), mul(grad, grad))");
  CHECK(f.scalar(f.plus(f.mul(f.a, f.b), f.step_number)) == "fma(a, b, t)");
  CHECK(f.scalar(f.minus(f.step_number, f.mul(f.a, f.b))) == "fma(neg(a), b, t)");
  // A chain: each sum sees its own operands.
  CHECK(f.array(f.plus(f.plus(f.p, ab), cd)) == "fma(grad, grad, fma(param, grad, param))");
}

TEST_CASE("factors and addends of a contracted sum are rounded as operands") {
  Fixture f;
  CHECK(f.array(f.plus(f.mul(f.a, f.p), f.mul(f.b, f.g))) ==
        "fma(to_array(b), grad, mul(to_array(a), param))");
  CHECK(f.array(f.minus(f.p, f.mul(f.a, f.g))) == "fma(neg(to_array(a)), grad, param)");
  CHECK(f.array(f.minus(f.p, f.mul(f.g, f.a))) == "fma(neg(grad), to_array(a), param)");
  CHECK(f.array(f.plus(f.a, f.mul(f.p, f.g))) == "fma(param, grad, to_array(a))");
  CHECK(f.array(f.minus(f.mul(f.p, f.g), f.a)) == "fma(param, grad, neg(to_array(a)))");
}

TEST_CASE("a scalar product in an array sum is rounded once, as an operand") {
  Fixture f;
  const auto ab = f.mul(f.a, f.b);
  CHECK(f.array(f.plus(f.p, ab)) == "add(param, to_array(mul(a, b)))");
  CHECK(f.array(f.minus(f.p, ab)) == "sub(param, to_array(mul(a, b)))");
  // So the array product beside it is the only one there is.
  CHECK(f.array(f.plus(f.mul(f.p, f.g), ab)) == "fma(param, grad, to_array(mul(a, b)))");
  CHECK(f.array(f.minus(f.mul(f.p, f.g), ab)) == "fma(param, grad, neg(to_array(mul(a, b))))");
}

TEST_CASE(
    "nothing is contracted through a local, a choice, a block, a negation, a power or a quotient") {
  Fixture f;
  const auto product = f.mul(f.p, f.g);
  const auto local = f.local("x");
  f.step(RuleBuilder::set(local, product));
  CHECK(f.array(f.plus(f.p, f.load(local))) == "add(param, mul(param, grad))");
  const auto condition = f.apply(Op::Gt, {f.a, f.b});
  CHECK(f.array(f.plus(f.p, f.choose(condition, product, f.g))) ==
        "add(param, select(gt(a, b), mul(param, grad), grad))");
  CHECK(f.array(f.plus(f.p, f.choose(f.truth(true), product, f.g))) ==
        "add(param, mul(param, grad))");
  CHECK(f.array(f.plus(f.p, f.block({}, product))) == "add(param, mul(param, grad))");
  CHECK(f.array(f.plus(f.p, f.apply(Op::Neg, {product}))) == "add(param, neg(mul(param, grad)))");
  CHECK(f.array(f.plus(f.p, f.apply(Op::Pow, {f.g, f.number(2)}))) ==
        "add(param, mul(grad, grad))");
  CHECK(f.array(f.plus(f.p, f.apply(Op::Div, {f.p, f.g}))) == "add(param, div(param, grad))");
  // But a product of powers is a product.
  CHECK(f.array(f.plus(f.p, f.mul(f.g, f.apply(Op::Pow, {f.g, f.number(2)})))) ==
        "fma(grad, mul(grad, grad), param)");
}

TEST_CASE("division") {
  Fixture f;
  const auto div = [&](auto x, auto y) { return f.apply(Op::Div, {x, y}); };
  CHECK(f.array(div(f.p, f.g)) == "div(param, grad)");
  CHECK(f.array(div(f.p, f.a)) == "div_scalar(param, a)");
  CHECK(f.array(div(f.p, f.number(2))) == "div_scalar(param, 2)");
  CHECK(f.array(div(f.a, f.p)) == "div(to_array(a), param)");
  CHECK(f.scalar(div(f.a, f.b)) == "div(a, b)");
  CHECK(f.array(div(f.mul(f.a, f.p), f.plus(f.a, f.b))) ==
        "div_scalar(mul(to_array(a), param), add(a, b))");
}

TEST_CASE("powers with constant exponents") {
  Fixture f;
  const auto pow = [&](auto x, double n) { return f.apply(Op::Pow, {x, f.number(n)}); };
  CHECK(f.array(pow(f.g, 0)) == "to_array(1)");
  CHECK(f.array(pow(f.g, 1)) == "grad");
  CHECK(f.array(pow(f.g, 2)) == "mul(grad, grad)");
  CHECK(f.array(pow(f.g, 3)) == "mul(mul(grad, grad), grad)");
  CHECK(f.scalar(pow(f.a, 5)) == "mul(mul(mul(a, a), mul(a, a)), a)");
  CHECK(f.scalar(pow(f.a, 6)) == "mul(mul(mul(a, a), a), mul(mul(a, a), a))");
  CHECK(f.array(pow(f.g, -1)) == "div(to_array(1), grad)");
  CHECK(f.scalar(pow(f.a, -2)) == "div(1, mul(a, a))");
  CHECK(f.array(pow(f.g, 0.5)) == "sqrt(grad)");
  CHECK(f.array(pow(f.g, -0.5)) == "pow(grad, to_array(-0.5))");
  CHECK(f.scalar(pow(f.a, 65)) == "pow(a, 65)");
  CHECK(f.scalar(pow(f.a, -65)) == "pow(a, -65)");
  CHECK(f.scalar(pow(f.a, 2.5)) == "pow(a, 2.5)");
  CHECK(f.scalar(f.apply(Op::Pow, {f.a, f.step_number})) == "pow(a, t)");
  CHECK(f.array(f.apply(Op::Pow, {f.g, f.step_number})) == "pow(grad, to_array(t))");
  CHECK(f.array(f.apply(Op::Pow, {f.g, f.plus(f.number(1), f.number(1))})) == "mul(grad, grad)");
  CHECK(f.scalar(pow(f.a, 64)).size() > 100);
}

TEST_CASE("constants are computed while building") {
  Fixture f;
  CHECK(f.scalar(f.plus(f.number(1), f.number(2))) == "3");
  CHECK(f.scalar(f.apply(Op::Sqrt, {f.number(2)})) == "1.4142135623730951");
  // One rounding, as everywhere: 0.1 * 10 - 1 is not 0.
  CHECK(f.scalar(f.minus(f.mul(f.number(0.1), f.number(10)), f.number(1))) ==
        "5.551115123125783e-17");
  CHECK(f.scalar(f.mul(f.number(0.1), f.number(10))) == "1");
  CHECK(f.scalar(f.choose(f.apply(Op::Lt, {f.number(1), f.number(2)}), f.a, f.b)) == "a");
  CHECK(f.scalar(f.choose(f.apply(Op::And, {f.truth(true), f.truth(false)}), f.a, f.b)) == "b");
  const auto momentum = f.hyper("momentum", Rate::Const, sema::HyperKind::Number, 0.9);
  CHECK(f.scalar(f.minus(f.number(1), momentum)) == "0.09999999999999998");
  const auto nesterov = f.hyper("nesterov", Rate::Const, sema::HyperKind::Bool, 1);
  CHECK(f.scalar(f.choose(nesterov, f.a, f.b)) == "a");
}

TEST_CASE("param and element states are flushed where they are assigned, nothing else is") {
  Fixture f;
  const auto m = f.state("m");
  const auto s = f.state("s", Rate::Group);
  const auto x = f.local("x");
  f.step(RuleBuilder::set(x, f.mul(f.p, f.g)))
      .step(RuleBuilder::set(SymbolKind::Grad, f.plus(f.load(x), f.g)))
      .step(RuleBuilder::set(m, f.grad()))
      .step(RuleBuilder::set(s, f.mul(f.a, f.b)))
      .step(RuleBuilder::set(SymbolKind::Param, f.load(m)));
  const Graph graph = build(f);
  CHECK(stored(graph, StoreTarget::State, 0) == "flush(add(mul(param, grad), grad))");
  CHECK(stored(graph, StoreTarget::State, 1) == "mul(a, b)");
  CHECK(stored(graph, StoreTarget::Param) == "flush(flush(add(mul(param, grad), grad)))");
}

TEST_CASE("a scalar assigned to param or an element state becomes an array, to others it stays") {
  Fixture f;
  const auto m = f.state("m");
  const auto s = f.state("s", Rate::Group);
  const auto x = f.local("x");
  f.step(RuleBuilder::set(x, f.a))
      .step(RuleBuilder::set(SymbolKind::Update, f.load(x)))
      .step(RuleBuilder::set(m, f.load(SymbolKind::Update)))
      .step(RuleBuilder::set(s, f.plus(f.load(SymbolKind::Update), f.b)))
      .step(RuleBuilder::set(SymbolKind::Param, f.mul(f.param(), f.load(SymbolKind::Update))));
  const Graph graph = build(f);
  CHECK(stored(graph, StoreTarget::State, 0) == "flush(to_array(a))");
  CHECK(stored(graph, StoreTarget::State, 1) == "add(a, b)");
  CHECK(stored(graph, StoreTarget::Param) == "flush(mul(param, to_array(a)))");
}

TEST_CASE("update is the gradient until it is assigned, and is subtracted once after all steps") {
  RuleBuilder none;
  none.step(RuleBuilder::set(none.state("m"), none.load(SymbolKind::Update)));
  CHECK(stored_state(none) == "flush(grad)");
  CHECK(stored_param(none) == "nothing");

  Fixture f;
  f.rule.subtracts_update = true;
  const auto m = f.state("m");
  f.step(RuleBuilder::set(SymbolKind::Grad, f.mul(f.g, f.g)))
      .step(RuleBuilder::set(SymbolKind::Update, f.mul(f.a, f.load(SymbolKind::Update))));
  f.rule.stages.push_back({});
  f.rule.stages[0].after.push_back(RuleBuilder::set(m, f.param()));
  f.rule.stages[1].step.push_back(RuleBuilder::set(SymbolKind::Param, f.mul(f.p, f.b)));
  const Graph graph = build(f);
  // Not contracted: the product came through an assignment. `after` sees the new point.
  CHECK(stored(graph, StoreTarget::Param) ==
        "flush(sub(flush(mul(param, to_array(b))), mul(to_array(a), mul(grad, grad))))");
  CHECK(stored(graph, StoreTarget::State) == "flush(" + stored(graph, StoreTarget::Param) + ")");

  Fixture scalar;
  scalar.rule.subtracts_update = true;
  scalar.step(RuleBuilder::set(SymbolKind::Update, scalar.a));
  CHECK(stored_param(scalar) == "flush(sub(param, to_array(a)))");
}

TEST_CASE("a branch becomes selects of what its arms leave different") {
  Fixture f;
  const auto m = f.state("m");
  const auto v = f.state("v");
  const auto s = f.state("s", Rate::Group);
  const auto x = f.local("x");
  const auto inner = f.local("inner");
  const auto condition = f.apply(Op::Gt, {f.step_number, f.number(3)});
  f.step(RuleBuilder::set(x, f.p))
      .step(RuleBuilder::if_(
          condition,
          {RuleBuilder::set(inner, f.mul(f.g, f.g)), RuleBuilder::set(m, f.load(inner)),
           RuleBuilder::set(x, f.a), RuleBuilder::set(v, f.g)},
          {RuleBuilder::set(m, f.p), RuleBuilder::set(s, f.b)}))
      .step(RuleBuilder::set(SymbolKind::Param, f.load(x)));
  const Graph graph = build(f);
  const std::string c = "gt(t, 3)";
  CHECK(stored(graph, StoreTarget::State, 0) ==
        "select(" + c + ", flush(mul(grad, grad)), flush(param))");
  CHECK(stored(graph, StoreTarget::State, 1) == "select(" + c + ", flush(grad), v)");
  CHECK(stored(graph, StoreTarget::State, 2) == "select(" + c + ", s, b)");
  CHECK(stored(graph, StoreTarget::Param) == "flush(select(" + c + ", to_array(a), param))");
}

TEST_CASE("an arm that does not assign update keeps the gradient it has") {
  Fixture f;
  f.rule.subtracts_update = true;
  const auto condition = f.apply(Op::Gt, {f.a, f.b});
  f.step(RuleBuilder::if_(condition, {RuleBuilder::set(SymbolKind::Update, f.p)},
                          {RuleBuilder::set(SymbolKind::Grad, f.apply(Op::Neg, {f.g}))}));
  CHECK(stored_param(f) == "flush(sub(param, select(gt(a, b), param, neg(grad))))");
}

TEST_CASE("of a branch on a constant only the arm taken is built") {
  Fixture f;
  const auto m = f.state("m");
  const auto v = f.state("v");
  const auto off = f.hyper("amsgrad", Rate::Const, sema::HyperKind::Bool, 0);
  f.step(RuleBuilder::if_(off, {RuleBuilder::set(v, f.g)}, {RuleBuilder::set(m, f.g)}));
  const Graph graph = build(f);
  REQUIRE(graph.stores.size() == 1);
  CHECK(stored(graph, StoreTarget::State) == "flush(grad)");
  // What a const hyper turned off keeps no state, and is no hyper.
  REQUIRE(graph.states.size() == 1);
  CHECK(graph.states[0].name == "m");
  CHECK(graph.hypers.size() == 2);
}

TEST_CASE("arms of an expression may assign") {
  Fixture f;
  const auto m = f.state("m");
  const auto condition = f.apply(Op::Gt, {f.a, f.b});
  const auto value = f.choose(condition, f.block({RuleBuilder::set(m, f.g)}, f.load(m)), f.p);
  f.step(RuleBuilder::set(SymbolKind::Param, value));
  const Graph graph = build(f);
  CHECK(stored(graph, StoreTarget::State) == "select(gt(a, b), flush(grad), m)");
  CHECK(stored(graph, StoreTarget::Param) == "flush(select(gt(a, b), flush(grad), param))");
}

TEST_CASE("nested branches merge inside out") {
  Fixture f;
  const auto x = f.local("x");
  const auto outer = f.apply(Op::Gt, {f.a, f.b});
  const auto inner = f.apply(Op::Gt, {f.p, f.g});
  f.step(RuleBuilder::set(x, f.number(0)))
      .step(RuleBuilder::if_(outer, {RuleBuilder::if_(inner, {RuleBuilder::set(x, f.number(1))},
                                                      {RuleBuilder::set(x, f.number(2))}),
                                     RuleBuilder::set(x, f.mul(f.load(x), f.p))}))
      .step(RuleBuilder::set(SymbolKind::Param, f.load(x)));
  CHECK(stored_param(f) ==
        "flush(select(gt(a, b), mul(select(gt(param, grad), to_array(1), to_array(2)), param), "
        "to_array(0)))");
}

TEST_CASE("bound hypers are evaluated where their stage begins") {
  RuleBuilder f;
  const auto lr = f.hyper("lr");
  const auto scale = f.state("scale", Rate::Model);
  f.rule.hypers[0].bound = true;
  f.step(RuleBuilder::set(scale, f.t()));
  f.rule.stages.push_back({});
  f.rule.stages[1].bindings.push_back(
      {.hyper = 0, .value = f.apply(Op::Mul, {f.load(scale), f.number(2)})});
  f.step(RuleBuilder::set(scale, f.number(7)))
      .step(RuleBuilder::set(SymbolKind::Param, f.apply(Op::Mul, {lr, f.param()})));
  const Graph graph = build(f);
  REQUIRE(graph.hypers[0].bound.valid());
  CHECK(text_of(graph, graph.hypers[0].bound) == "mul(t, 2)");
  CHECK(stored(graph, StoreTarget::Param) == "flush(mul(to_array(mul(t, 2)), param))");
}

TEST_CASE("initial values") {
  RuleBuilder f;
  const auto d0 = f.hyper("d0");
  for (const char* name : {"zero", "constant", "copy", "scaled"})
    f.step(RuleBuilder::set(f.state(name), f.grad()));
  f.step(RuleBuilder::set(SymbolKind::Param, f.grad()));
  f.rule.states[1].initial = f.apply(Op::Add, {f.number(0.25), f.number(0.5)});
  f.rule.states[2].initial = f.param();
  f.rule.states[3].initial = f.apply(Op::Mul, {d0, f.number(2)});
  const Graph graph = build(f);
  CHECK(!graph.states[0].initial.valid());
  CHECK(text_of(graph, graph.states[1].initial) == "0.75");
  CHECK(text_of(graph, graph.states[2].initial) == "param");
  CHECK(text_of(graph, graph.states[3].initial) == "mul(d0, 2)");
}

TEST_CASE("inputs, given and calls") {
  RuleBuilder f;
  const auto loss = f.input("loss", Rate::Model);
  const auto hessian = f.input("hessian", Rate::Element);
  const auto best = f.state("best", Rate::Model);
  f.step(RuleBuilder::set(best,
                          f.choose(f.load(SymbolKind::Given, 0), loss, f.load(SymbolKind::Calls))))
      .step(RuleBuilder::set(SymbolKind::Param, hessian));
  const Graph graph = build(f);
  CHECK(stored(graph, StoreTarget::State) == "select(given(loss), loss, calls)");
  CHECK(stored(graph, StoreTarget::Param) == "flush(hessian)");
}

TEST_CASE("a sum of very many terms does not nest") {
  RuleBuilder f;
  auto sum = f.param();
  for (int i = 0; i < 50'000; ++i) sum = f.apply(Op::Add, {sum, f.grad()});
  f.step(RuleBuilder::set(SymbolKind::Param, sum));
  CHECK(build(f).nodes.size() == 50'003);
}

TEST_CASE("a rule that is too large is refused") {
  const auto refusal = [](const RuleBuilder& rule) {
    base::Diagnostics diagnostics;
    const Graph graph = build_graph(rule.rule, diagnostics);
    REQUIRE(diagnostics.error_count() == 1);
    CHECK(diagnostics.all()[0].kind == base::DiagnosticKind::GraphTooLarge);
    CHECK(graph.nodes.empty());
    return diagnostics.all()[0].message;
  };
  RuleBuilder wide;
  auto sum = wide.param();
  for (int i = 0; i < 100'000; ++i) sum = wide.apply(Op::Add, {sum, wide.grad()});
  wide.step(RuleBuilder::set(SymbolKind::Param, sum));
  CHECK(refusal(wide) == "this rule is too large: it takes more than 65536 operations a step");

  RuleBuilder deep;
  auto value = deep.param();
  for (int i = 0; i < 100'000; ++i) value = deep.apply(Op::Add, {deep.grad(), value});
  deep.step(RuleBuilder::set(SymbolKind::Param, value));
  CHECK(refusal(deep) == "this rule is too large: its expressions nest more than 2000 deep");

  RuleBuilder branches;
  auto body = RuleBuilder::set(SymbolKind::Param, branches.grad());
  const auto condition = branches.apply(Op::Gt, {branches.t(), branches.number(1)});
  for (int i = 0; i < 5'000; ++i) body = RuleBuilder::if_(condition, {std::move(body)});
  branches.step(std::move(body));
  CHECK(refusal(branches) == "this rule is too large: its expressions nest more than 2000 deep");
}

}  // namespace talweg::ir
