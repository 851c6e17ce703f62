// Which inputs a step reads: through the arms taken, as far as conditions of a rate are known.
#include "compiler/ir/input_demand.h"

#include <catch2/catch.hpp>

#include "compiler/ir/interpret.h"
#include "tests/ir/compile_text.h"

namespace talweg::ir {

namespace {

struct MachineTruths {
  using Truth = bool;
  const Machine& machine;
  [[nodiscard]] bool truth(NodeId condition) const { return machine[condition].truth; }
  static bool always() { return true; }
  static bool both(bool a, bool b) { return a && b; }
  static bool either(bool a, bool b) { return a || b; }
  static bool negated(bool a) { return !a; }
};

constexpr const char* kRule = R"(
rule Reader {
  hyper gain = 0 in [0, inf)
  input model loss
  input hessian
  state model best
  state h
  step {
    if given(loss) {
      if t > 1 { best = loss }
    }
    if gain > 1 { h = hessian }
    update = grad
  }
}
)";

/// Whether `loss` and `hessian` are read.
std::pair<bool, bool> reads(Rate known, bool given_loss, double step, double gain) {
  const Graph graph = tests::graph_of_rule("m.Reader", kRule);
  ScalarContext context;
  context.hypers = {gain};
  context.states.resize(graph.states.size());
  context.inputs.resize(graph.inputs.size());
  context.given = {given_loss, false};
  context.step_number = step;
  Machine machine(graph, types::ComputeType::F64);
  machine.run_scalars(context);
  MachineTruths truths{machine};
  const auto demand = input_demand(graph, known, truths);
  REQUIRE(demand.size() == 2);
  return {demand[0].value_or(false), demand[1].value_or(false)};
}

}  // namespace

TEST_CASE("an input is read where every condition around it holds") {
  CHECK(reads(Rate::Group, true, 2, 2) == std::pair(true, true));
  CHECK(reads(Rate::Group, false, 2, 2) == std::pair(false, true));
  CHECK(reads(Rate::Group, true, 1, 2) == std::pair(false, true));
  CHECK(reads(Rate::Group, true, 2, 1) == std::pair(true, false));
}

TEST_CASE("conditions of groups are open while only the model is known") {
  CHECK(reads(Rate::Model, false, 2, 1) == std::pair(false, true));
  CHECK(reads(Rate::Model, true, 2, 1) == std::pair(true, true));
}

namespace {

/// Whether a step with this number reads `loss`, which was given or not, to decide `condition`.
bool reads_to_decide(const std::string& condition, bool is_given, double step) {
  const Graph graph = tests::graph_of_rule(
      "m.Logic",
      "rule Logic {\n  input model loss\n  hyper bool on = true\n  state s\n  step { if " +
          condition + " { s = s + 1 }\n update = s * grad } }");
  ScalarContext context;
  context.hypers = {1};
  context.states.resize(graph.states.size());
  context.inputs.resize(1);
  context.given = {is_given};
  context.step_number = step;
  Machine machine(graph, types::ComputeType::F64);
  machine.run_scalars(context);
  MachineTruths truths{machine};
  return input_demand(graph, Rate::Group, truths)[0].value_or(false);
}

}  // namespace

TEST_CASE("a right operand is read where the left one leaves the answer open") {
  CHECK_FALSE(reads_to_decide("given(loss) and loss < 3", false, 1));
  CHECK(reads_to_decide("given(loss) and loss < 3", true, 1));
  CHECK(reads_to_decide("loss < 3 and given(loss)", false, 1));
  CHECK_FALSE(reads_to_decide("not given(loss) or loss < 3", false, 1));
  CHECK(reads_to_decide("not given(loss) or loss < 3", true, 1));
  CHECK_FALSE(reads_to_decide("t > 5 and (given(loss) or loss < 3)", false, 1));
  CHECK(reads_to_decide("t > 5 and (given(loss) or loss < 3)", false, 6));
  CHECK_FALSE(reads_to_decide("on and given(loss) and loss < 3", false, 1));
}

TEST_CASE("a right operand behind a faster one is always read") {
  CHECK(reads_to_decide("grad > 0 and loss < 3", true, 1));
}

TEST_CASE("an input that no result depends on has no demand") {
  const Graph graph = tests::graph_of_rule("SGD");
  CHECK(depend_on_inputs(graph) == std::vector<bool>(graph.nodes.size(), false));
}

}  // namespace talweg::ir
