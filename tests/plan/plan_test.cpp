// What plans promise: bytes moved, loops chosen, slots kept.
#include "compiler/plan/plan.h"

#include <catch2/catch.hpp>

#include "compiler/ir/text.h"
#include "compiler/passes/pass.h"
#include "tests/ir/golden.h"
#include "tests/plan/run_plan.h"

namespace talweg::plan {

namespace {

using types::ComputeType;

Plan plan_of(const char* text, ComputeType compute = ComputeType::F32) {
  auto result = ir::read_graph(text);
  if (const auto* error = std::get_if<ir::ReadError>(&result))
    FAIL(error->line << ":" << error->column << ": " << error->message);
  return make_plan(passes::run_passes(std::get<ir::Graph>(std::move(result))), compute);
}

constexpr const char* kAdamW = R"(graph "AdamW"
hyper lr: number group = 0.001 in [0, inf)
hyper beta1: number group = 0.9 in [0, 1)
hyper beta2: number group = 0.999 in [0, 1)
hyper eps: number group = 1e-8 in (0, inf)
hyper weight_decay: number group = 0.01 in [0, inf)
state m: element
state v: element
%0 = param: array element
%1 = grad: array element
%2 = state m: array element
%3 = state v: array element
%4 = hyper lr: scalar group
%5 = hyper beta1: scalar group
%6 = hyper beta2: scalar group
%7 = hyper eps: scalar group
%8 = hyper weight_decay: scalar group
%9 = step_number: scalar model
%10 = constant 1: scalar const
%11 = to_array %5: array group
%12 = mul %11 %2: array element
%13 = sub %10 %5: scalar group
%14 = to_array %13: array group
%15 = fma %14 %1 %12: array element
%16 = flush %15: array element
%17 = mul %1 %1: array element
%18 = to_array %6: array group
%19 = mul %18 %3: array element
%20 = sub %10 %6: scalar group
%21 = to_array %20: array group
%22 = fma %21 %17 %19: array element
%23 = flush %22: array element
%24 = pow %5 %9: scalar group
%25 = sub %10 %24: scalar group
%26 = div_scalar %16 %25: array element
%27 = pow %6 %9: scalar group
%28 = sub %10 %27: scalar group
%29 = div_scalar %23 %28: array element
%30 = mul %4 %8: scalar group
%31 = to_array %30: array group
%32 = neg %31: array group
%33 = fma %32 %0 %0: array element
%34 = flush %33: array element
%35 = to_array %4: array group
%36 = mul %35 %26: array element
%37 = sqrt %29: array element
%38 = to_array %7: array group
%39 = add %37 %38: array element
%40 = div %36 %39: array element
%41 = sub %34 %40: array element
%42 = flush %41: array element
store param %42
store state m %16
store state v %23
end
)";

/// Every 5 steps `slow` moves towards param and param becomes it.
constexpr const char* kLookahead = R"(graph "Lookahead"
state slow: element = %0
%0 = param: array element
%1 = state slow: array element
%2 = step_number: scalar model
%3 = constant 5: scalar const
%4 = mod %2 %3: scalar model
%5 = constant 0: scalar const
%6 = eq %4 %5: bool model
%7 = sub %0 %1: array element
%8 = constant 0.5: scalar const
%9 = to_array %8: array const
%10 = fma %9 %7 %1: array element
%11 = flush %10: array element
%12 = select %6 %11 %1: array element
%13 = select %6 %11 %0: array element
store param %13
store state slow %12
end
)";

const ElementPass& only_pass(const Plan& plan) {
  REQUIRE(plan.phases.size() == 1);
  REQUIRE(plan.phases[0].pass);
  return *plan.phases[0].pass;
}

std::size_t count(const LoopVersion& version, const ir::Graph& graph, builtins::Op op) {
  std::size_t result = 0;
  for (const ir::NodeId id : version.nodes)
    result += graph[id].kind == ir::NodeKind::Apply && graph[id].op == op;
  return result;
}

}  // namespace

TEST_CASE("AdamW reads 16 and writes 12 bytes per float32 parameter, twice that in float64") {
  const Plan plan = plan_of(kAdamW);
  REQUIRE(plan.phases.size() == 1);
  CHECK(only_pass(plan).read_bytes_per_element == 16);
  CHECK(only_pass(plan).written_bytes_per_element == 12);
  CHECK(plan.state_bytes_per_element == 8);
  const Plan wide = plan_of(kAdamW, ComputeType::F64);
  CHECK(only_pass(wide).read_bytes_per_element == 32);
  CHECK(only_pass(wide).written_bytes_per_element == 24);
  CHECK(wide.state_bytes_per_element == 16);
}

TEST_CASE("AdamW's loop has one division, and one loop more for when its guards fail") {
  const Plan plan = plan_of(kAdamW);
  const auto& versions = only_pass(plan).versions;
  REQUIRE(versions.size() == 2);
  CHECK(versions[0].assumptions.size() == 2);
  for (const Assumption& assumption : versions[0].assumptions) CHECK(assumption.holds);
  CHECK(count(versions[0], plan.graph, builtins::Op::Div) == 1);
  CHECK(count(versions[0], plan.graph, builtins::Op::Select) == 0);
  CHECK(versions[1].assumptions.empty());
  CHECK(count(versions[1], plan.graph, builtins::Op::Div) == 3);
}

TEST_CASE("streams stand in the order of the ABI, used or not") {
  const Plan plan = plan_of(R"(graph "order"
state s: group
state unused: element
state m: element
input loss: model
input hessian: element
%0 = input hessian: array element
%1 = state m: array element
%2 = add %0 %1: array element
store state m %2
end
)");
  const auto& streams = only_pass(plan).streams;
  REQUIRE(streams.size() == 5);
  CHECK(streams[0].kind == StreamKind::Param);
  CHECK((!streams[0].is_read && !streams[0].is_written));
  CHECK(streams[1].kind == StreamKind::Grad);
  CHECK((streams[2].kind == StreamKind::State && streams[2].index == 1));
  CHECK((!streams[2].is_read && !streams[2].is_written));
  CHECK((streams[3].index == 2 && streams[3].is_read && streams[3].is_written));
  CHECK((streams[4].kind == StreamKind::Input && streams[4].index == 1));
  CHECK((streams[4].is_read && !streams[4].is_written));
  CHECK(only_pass(plan).read_bytes_per_element == 8);
  CHECK(only_pass(plan).written_bytes_per_element == 4);
  CHECK(plan.state_bytes_per_element == 8);
}

TEST_CASE("a step in which a condition leaves all as it was touches nothing") {
  const Plan plan = plan_of(kLookahead);
  const ElementPass& pass = only_pass(plan);
  REQUIRE(pass.versions.size() == 2);
  CHECK(pass.versions[0].assumptions[0].holds);
  CHECK(pass.versions[0].stores.size() == 2);
  CHECK(pass.versions[1].assumptions.empty());
  CHECK(pass.versions[1].stores.empty());
  CHECK(pass.versions[1].nodes.empty());
  CHECK(pass.read_bytes_per_element == 8);
  CHECK(pass.written_bytes_per_element == 8);
  // The condition is computed once per step.
  CHECK(plan.slots_of(Level::Group).empty());
  const auto& slots = plan.slots_of(Level::Model);
  CHECK(std::find(slots.begin(), slots.end(), pass.versions[0].assumptions[0].condition) !=
        slots.end());
}

TEST_CASE("a division by a constant whose reciprocal is normal needs no guard") {
  constexpr const char* kText = R"(graph "constant"
%0 = param: array element
%1 = constant 1e39: scalar const
%2 = div_scalar %0 %1: array element
store param %2
end
)";
  // 1e-39 is normal in float64; in float32 it is subnormal, so the division is a true one (by
  // infinity).
  const Plan wide = plan_of(kText, ComputeType::F64);
  REQUIRE(only_pass(wide).versions.size() == 1);
  CHECK(count(only_pass(wide).versions[0], wide.graph, builtins::Op::Mul) == 1);
  CHECK(count(only_pass(wide).versions[0], wide.graph, builtins::Op::Div) == 0);
  const Plan narrow = plan_of(kText);
  REQUIRE(only_pass(narrow).versions.size() == 1);
  CHECK(count(only_pass(narrow).versions[0], narrow.graph, builtins::Op::Mul) == 0);
  CHECK(count(only_pass(narrow).versions[0], narrow.graph, builtins::Op::Div) == 1);
}

namespace {

/// param = select(c0, select(c1, ... ), ...) over `count` conditions that share nothing.
std::string with_conditions(int count) {
  std::string text = "graph \"conditions\"\n";
  for (int i = 0; i < count; ++i)
    text += "hyper h" + std::to_string(i) + ": bool model = 0 in (-inf, inf)\n";
  text += "%0 = param: array element\n";
  int id = 1;
  std::string value = "%0";
  for (int i = 0; i < count; ++i) {
    text += "%" + std::to_string(id) + " = hyper h" + std::to_string(i) + ": bool model\n";
    text += "%" + std::to_string(id + 1) + " = mul " + value + " " + value + ": array element\n";
    text += "%" + std::to_string(id + 2) + " = select %" + std::to_string(id) + " %" +
            std::to_string(id + 1) + " " + value + ": array element\n";
    value = "%" + std::to_string(id + 2);
    id += 3;
  }
  return text + "store param " + value + "\nend\n";
}

}  // namespace

TEST_CASE("few conditions are tried in all ways, many are decided per element") {
  for (int conditions = 0; conditions <= 6; ++conditions) {
    const Plan plan = plan_of(with_conditions(conditions).c_str());
    const auto& versions = only_pass(plan).versions;
    const bool few = conditions <= 3;
    CHECK(versions.size() == (few ? std::size_t{1} << conditions : 1));
    CHECK(versions.back().assumptions.empty());
    for (const LoopVersion& version : versions)
      CHECK(count(version, plan.graph, builtins::Op::Select) ==
            static_cast<std::size_t>(few ? 0 : conditions));
  }
}

TEST_CASE("a condition that matters in one arm only is not asked for in the other") {
  const Plan plan = plan_of(R"(graph "nested"
hyper a: bool model = 0 in (-inf, inf)
hyper b: bool model = 0 in (-inf, inf)
%0 = param: array element
%1 = grad: array element
%2 = hyper a: bool model
%3 = hyper b: bool model
%4 = select %3 %0 %1: array element
%5 = neg %4: array element
%6 = select %2 %5 %1: array element
store param %6
end
)");
  const auto& versions = only_pass(plan).versions;
  std::size_t with_one = 0;
  for (const LoopVersion& version : versions) with_one += version.assumptions.size() == 1;
  CHECK(versions.size() <= 5);
  CHECK(count(versions[0], plan.graph, builtins::Op::Select) == 0);
  CHECK(versions.back().assumptions.empty());
}

TEST_CASE("a scalar condition joined with one per element is known where the scalar one is") {
  const Plan plan = plan_of(R"(graph "joined"
hyper on: bool group = 0 in (-inf, inf)
state m: element
%0 = param: array element
%1 = grad: array element
%2 = hyper on: bool group
%3 = gt %0 %1: bool element
%4 = and %2 %3: bool element
%5 = state m: array element
%6 = select %4 %1 %5: array element
store state m %6
end
)");
  const auto& versions = only_pass(plan).versions;
  REQUIRE(versions.size() == 2);
  CHECK(versions[0].stores.size() == 1);
  CHECK(count(versions[0], plan.graph, builtins::Op::And) == 0);
  CHECK(versions[1].stores.empty());
}

TEST_CASE("scalar states and bound hypers are computed where their rate is") {
  const Plan plan = plan_of(R"(graph "scalars"
hyper lr: number group = 0.1 in [0, inf) bound %3
hyper decay: number model = 0.9 in [0, 1)
state best: model
state mu: group
%0 = step_number: scalar model
%1 = hyper decay: scalar model
%2 = pow %1 %0: scalar model
%3 = sqrt %2: scalar model
%4 = state best: scalar model
%5 = min %4 %0: scalar model
%6 = constant 0.5: scalar const
store state best %5
store state mu %6
end
)");
  const auto has = [](const std::vector<ir::NodeId>& ids, const ir::Graph& graph, ir::NodeId id) {
    (void)graph;
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  const ir::NodeId bound = plan.graph.hypers[0].bound;
  const ScalarProgram& model = plan.phases[0][Level::Model];
  CHECK(has(model.nodes, plan.graph, bound));
  CHECK(has(plan.slots_of(Level::Model), plan.graph,
            bound));  // a group hyper is written by the group program
  CHECK(has(plan.phases[0][Level::Group].nodes, plan.graph, plan.graph.stores[1].value));
  CHECK(!has(plan.slots_of(Level::Model), plan.graph, plan.graph.stores[0].value));
  CHECK(only_pass(plan).versions.size() == 1);
  CHECK(only_pass(plan).versions[0].nodes.empty());
  CHECK(only_pass(plan).read_bytes_per_element == 0);
}

TEST_CASE("an empty graph has an empty plan") {
  const Plan plan = make_plan({}, ComputeType::F32);
  CHECK(plan.phases[0][Level::Model].nodes.empty());
  CHECK(only_pass(plan).versions.size() == 1);
  CHECK(only_pass(plan).streams.size() == 2);
}

TEST_CASE("plans print as the goldens say") {
  tests::check_goldens(TALWEG_SOURCE_DIR "/tests/plan", ".plan", [](const tests::Golden& golden) {
    const auto compute = types::compute_type_from_text(golden.setting("compute"));
    REQUIRE(compute);
    return print(make_plan(passes::run_passes(golden.graph()), *compute));
  });
}

}  // namespace talweg::plan
