// The interpreter on small graphs built by hand: every kind of node, both compute types, and the
// rules of numbers that have nodes of their own (rounding of scalars, division by scalars,
// flushing).
#include "compiler/ir/interpret.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "compiler/ir/make_node.h"

using namespace talweg;
using namespace talweg::ir;
using builtins::Op;
using types::ComputeType;
using types::Rate;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr ComputeType kBoth[] = {ComputeType::F32, ComputeType::F64};

bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

Value number(double value) { return {.number = value, .truth = false}; }
Value truth(bool value) { return {.number = 0, .truth = value}; }

/// A graph with one group hyper, one model scalar state, one element state and inputs of both
/// rates.
struct Fixture {
  Graph graph;
  NodeId param, grad, hyper, scalar_state, element_state, model_input, element_input, given, t,
      calls;

  Fixture() {
    graph.hypers.emplace_back().name = "lr";
    graph.states.resize(2);
    graph.states[0].rate = Rate::Model;
    graph.inputs.resize(2);
    graph.inputs[0].rate = Rate::Model;
    param = graph.add(make_leaf(NodeKind::Param));
    grad = graph.add(make_leaf(NodeKind::Grad));
    hyper = graph.add(make_leaf(graph, NodeKind::Hyper, 0));
    scalar_state = graph.add(make_leaf(graph, NodeKind::State, 0));
    element_state = graph.add(make_leaf(graph, NodeKind::State, 1));
    model_input = graph.add(make_leaf(graph, NodeKind::Input, 0));
    element_input = graph.add(make_leaf(graph, NodeKind::Input, 1));
    given = graph.add(make_leaf(graph, NodeKind::Given, 0));
    t = graph.add(make_leaf(NodeKind::StepNumber));
    calls = graph.add(make_leaf(NodeKind::CallNumber));
  }

  NodeId apply(Op op, std::initializer_list<NodeId> operands) {
    return graph.add(make_apply(graph, op, operands));
  }
  NodeId convert(NodeKind kind, std::initializer_list<NodeId> operands) {
    return graph.add(make_conversion(graph, kind, operands));
  }
};

ScalarContext scalars() {
  return {.hypers = {0.1},
          .states = {7, 0},
          .inputs = {0.25, 0},
          .given = {true, false},
          .reduced = {},
          .step_number = 3,
          .call_number = 5};
}

ElementContext element(double param, double grad) {
  return {.param = param, .grad = grad, .states = {0, 2}, .inputs = {0, -4}};
}

}  // namespace

TEST_CASE("leaves read what the step is given") {
  Fixture f;
  for (const ComputeType compute : kBoth) {
    Machine machine(f.graph, compute);
    machine.run_scalars(scalars());
    machine.run_element(element(1.5, -0.5));
    CHECK(machine[f.param].number == 1.5);
    CHECK(machine[f.grad].number == -0.5);
    CHECK(machine[f.hyper].number == 0.1);
    CHECK(machine[f.scalar_state].number == 7);
    CHECK(machine[f.element_state].number == 2);
    CHECK(machine[f.model_input].number == 0.25);
    CHECK(machine[f.element_input].number == -4);
    CHECK(machine[f.given].truth);
    CHECK(machine[f.t].number == 3);
    CHECK(machine[f.calls].number == 5);
  }
}

TEST_CASE("scalars are float64 and arrays have the compute type") {
  Fixture f;
  const NodeId third =
      f.apply(Op::Div, {f.graph.add(make_constant(1)), f.graph.add(make_constant(3))});
  const NodeId rounded = f.convert(NodeKind::ToArray, {third});
  const NodeId product = f.apply(Op::Mul, {rounded, f.grad});
  Machine in_float(f.graph, ComputeType::F32);
  in_float.run_scalars({.hypers = {0.1},
                        .states = {0, 0},
                        .inputs = {0, 0},
                        .given = {false, false},
                        .reduced = {}});
  in_float.run_element(element(0, static_cast<double>(0.1F)));
  CHECK(in_float[third].number == 1.0 / 3);
  CHECK(in_float[rounded].number == static_cast<double>(1.0F / 3.0F));
  CHECK(in_float[product].number == static_cast<double>((1.0F / 3.0F) * 0.1F));

  Machine in_double(f.graph, ComputeType::F64);
  in_double.run_scalars(scalars());
  in_double.run_element(element(0, 0.1));
  CHECK(in_double[product].number == (1.0 / 3) * 0.1);
}

TEST_CASE("comparisons, logic and selection") {
  Fixture f;
  const NodeId zero = f.convert(NodeKind::ToArray, {f.graph.add(make_constant(0))});
  const NodeId positive = f.apply(Op::Gt, {f.grad, zero});
  const NodeId yes = f.graph.add(make_truth(true));
  const NodeId both = f.apply(Op::And, {positive, f.given});
  const NodeId neither = f.apply(Op::Not, {f.apply(Op::Or, {positive, f.apply(Op::Not, {yes})})});
  const NodeId chosen = f.apply(Op::Select, {both, f.param, f.grad});
  const NodeId chosen_truth = f.apply(Op::Select, {positive, neither, yes});
  for (const ComputeType compute : kBoth) {
    Machine machine(f.graph, compute);
    machine.run_scalars(scalars());
    machine.run_element(element(8, 1));
    CHECK(machine[both].truth);
    CHECK(!machine[neither].truth);
    CHECK(machine[chosen].number == 8);
    CHECK(!machine[chosen_truth].truth);
    machine.run_element(element(8, kNan));
    CHECK(!machine[both].truth);
    CHECK(machine[neither].truth);
    CHECK(std::isnan(machine[chosen].number));
    CHECK(machine[chosen_truth].truth);
  }
}

TEST_CASE("an arm that is not selected never matters") {
  const Value operands[] = {truth(false), number(kNan), number(2)};
  for (const ComputeType compute : kBoth)
    CHECK(apply(Op::Select, ValueType::Array, compute, operands).number == 2);
}

TEST_CASE("each element is evaluated anew, with the scalars kept") {
  Fixture f;
  const NodeId rate = f.convert(NodeKind::ToArray, {f.hyper});
  const NodeId next = f.apply(Op::Sub, {f.param, f.apply(Op::Mul, {rate, f.grad})});
  Machine machine(f.graph, ComputeType::F64);
  machine.run_scalars(scalars());
  for (int i = 0; i < 10; ++i) {
    machine.run_element(element(i, 2.0 * i));
    CHECK(machine[next].number == i - 0.1 * (2.0 * i));
  }
  ScalarContext other = scalars();
  other.hypers[0] = 10;
  machine.run_scalars(other);
  machine.run_element(element(1, 1));
  CHECK(machine[next].number == -9);
}

TEST_CASE("fma of arrays rounds once in the compute type") {
  const Value operands[] = {number(0x1.000002p+0), number(0x1.000002p+0), number(-0x1.000004p+0)};
  CHECK(apply(Op::Fma, ValueType::Array, ComputeType::F32, operands).number == 0x1p-46);
  CHECK(apply(Op::Fma, ValueType::Array, ComputeType::F64, operands).number == 0x1p-46);
  // The product overflows float32, the scalar form does not.
  const Value large[] = {number(0x1p100), number(0x1p100), number(0)};
  CHECK(apply(Op::Fma, ValueType::Array, ComputeType::F32, large).number == kInf);
  CHECK(apply(Op::Fma, ValueType::Scalar, ComputeType::F32, large).number == 0x1p200);
}

TEST_CASE("flushing makes a subnormal a zero of its sign and leaves the rest") {
  CHECK(same(flush(ComputeType::F32, 0x1p-127), 0.0));
  CHECK(same(flush(ComputeType::F32, -0x1p-149), -0.0));
  CHECK(same(flush(ComputeType::F32, 0x1p-126), 0x1p-126));
  CHECK(same(flush(ComputeType::F64, 0x1p-127), 0x1p-127));
  CHECK(same(flush(ComputeType::F64, -0x1p-1074), -0.0));
  CHECK(same(flush(ComputeType::F64, -0x1p-1022), -0x1p-1022));
  for (const ComputeType compute : kBoth)
    for (const double value : {0.0, -0.0, 1.0, kInf, -kInf, kNan})
      CHECK(same(flush(compute, value), value));
}

TEST_CASE("only flush nodes flush") {
  Fixture f;
  const NodeId product = f.apply(Op::Mul, {f.param, f.grad});
  const NodeId flushed = f.convert(NodeKind::Flush, {product});
  const NodeId normal = f.convert(NodeKind::IsNormal, {product});
  Machine machine(f.graph, ComputeType::F32);
  machine.run_scalars(scalars());
  machine.run_element(element(0x1p-100, -0x1p-30));
  CHECK(machine[product].number == -0x1p-130);
  CHECK(same(machine[flushed].number, -0.0));
  CHECK(!machine[normal].truth);
  machine.run_element(element(0x1p-100, -0x1p-26));
  CHECK(machine[flushed].number == -0x1p-126);
  CHECK(machine[normal].truth);
}

TEST_CASE("is_normal excludes zeros, subnormals, infinities and NaN") {
  Fixture f;
  const NodeId normal = f.convert(NodeKind::IsNormal, {f.param});
  Machine machine(f.graph, ComputeType::F64);
  machine.run_scalars(scalars());
  for (const double value : {0.0, -0.0, 0x1p-1074, kInf, -kInf, kNan}) {
    machine.run_element(element(value, 0));
    CHECK(!machine[normal].truth);
  }
  for (const double value : {0x1p-1022, -1.0, std::numeric_limits<double>::max()}) {
    machine.run_element(element(value, 0));
    CHECK(machine[normal].truth);
  }
}

TEST_CASE("division by a scalar multiplies by the rounded reciprocal") {
  // 1/3 in float32 is 0x1.555556p-2: 5 times it is not 5/3 rounded.
  CHECK(divide_by_scalar(ComputeType::F32, 5, 3) == static_cast<double>(5.0F * (1.0F / 3.0F)));
  CHECK(divide_by_scalar(ComputeType::F64, 5, 3) == 5 * (1.0 / 3));
  CHECK(divide_by_scalar(ComputeType::F64, 49, 49) != 1.0);
  // The reciprocal is rounded once, from float64: not 1 / float32(s).
  const double s = 0.999;
  CHECK(divide_by_scalar(ComputeType::F32, 1, s) == static_cast<double>(static_cast<float>(1 / s)));
}

TEST_CASE("division by a scalar is true division where the reciprocal is not normal") {
  struct Row {
    ComputeType compute;
    double a, s, expected;
  };
  const ComputeType f32 = ComputeType::F32, f64 = ComputeType::F64;
  const Row rows[] = {
      // 1/s overflows.
      {f32, 0x1p-140, 0x1p-130, 0x1p-10},
      {f64, 0x1p-1070, 0x1p-1040, 0x1p-30},
      // s rounds to 0 in float32.
      {f32, 1, 1e-60, kInf},
      {f32, 0, 1e-60, kNan},
      {f32, -1, 1e-60, -kInf},
      // 1/s is subnormal or rounds to 0.
      {f32, 0x1p120, 0x1p127, 0x1p-7},
      {f64, 0x1p1000, 0x1p1023, 0x1p-23},
      // s rounds to infinity in float32.
      {f32, 1, 1e300, 0.0},
      {f32, kInf, 1e300, kNan},
      {f32, -1, 1e300, -0.0},
      {f32, 1, 0.0, kInf},
      {f32, 1, -0.0, -kInf},
      {f64, -1, 0.0, -kInf},
      {f64, 0.0, 0.0, kNan},
      {f32, 1, kInf, 0.0},
      {f64, -1, kInf, -0.0},
      {f64, kInf, kInf, kNan},
      {f32, 1, kNan, kNan},
      {f64, kNan, 1, kNan},
      {f32, kInf, 2, kInf},
      {f64, -0.0, 4, -0.0},
  };
  for (const Row& row : rows) {
    INFO(to_text(row.compute) << ' ' << row.a << " / " << row.s);
    CHECK(same(divide_by_scalar(row.compute, row.a, row.s), row.expected));
  }
}

TEST_CASE("the boundary of normal reciprocals is that of the rounded one") {
  // 1/s is a little below 2^-126 in float64 and rounds up to it, which is normal in float32.
  const double s = 0x1p126 * (1 + 0x1p-40);
  CHECK(divide_by_scalar(ComputeType::F32, 0x1p100, s) == 0x1p-26);
  // Below 2^-126 by more than half a unit: true division by float32(s).
  const double larger = 0x1.8p126;
  CHECK(divide_by_scalar(ComputeType::F32, 0x1.8p126, larger) == 1.0);
  // The largest finite reciprocal.
  CHECK(divide_by_scalar(ComputeType::F32, 0x1p-20, 0x1p-127) == 0x1p107);
}

TEST_CASE("division by a scalar as a node") {
  Fixture f;
  const NodeId correction = f.apply(Op::Sub, {f.graph.add(make_constant(1)), f.hyper});
  const NodeId quotient = f.convert(NodeKind::DivScalar, {f.grad, correction});
  for (const ComputeType compute : kBoth) {
    Machine machine(f.graph, compute);
    machine.run_scalars(scalars());
    machine.run_element(element(0, 0.5));
    CHECK(machine[quotient].number == divide_by_scalar(compute, 0.5, 1 - 0.1));
  }
}

TEST_CASE("elementary functions of arrays are rounded to the compute type") {
  const Value x[] = {number(static_cast<double>(0.7F))};
  const double in_float = apply(Op::Exp, ValueType::Array, ComputeType::F32, x).number;
  const double in_double = apply(Op::Exp, ValueType::Scalar, ComputeType::F32, x).number;
  CHECK(in_float == round_to(ComputeType::F32, in_double));
  CHECK(in_float != in_double);
}

TEST_CASE("rounding a scalar to float32 keeps subnormals, overflows and keeps NaN") {
  CHECK(round_to(ComputeType::F32, 0x1.8p-149) == 0x1p-148);
  CHECK(round_to(ComputeType::F32, 1e39) == kInf);
  CHECK(round_to(ComputeType::F32, 0x1.fffffefffffffp+127) == 0x1.fffffep+127);
  CHECK(std::isnan(round_to(ComputeType::F32, kNan)));
  CHECK(same(round_to(ComputeType::F32, -1e-60), -0.0));
  CHECK(round_to(ComputeType::F64, 1e-320) == 1e-320);
}
