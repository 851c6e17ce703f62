// What skipped and held calls touch: what they change, whatever else the rule does.
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "compiler/passes/pass.h"
#include "compiler/plan/plan.h"
#include "tests/ir/compile_text.h"

namespace talweg::plan {

namespace {

/// Streams by name, "param" or that of the state, each "r", "w" or "rw"; left out where untouched.
using Touched = std::map<std::string, std::string>;

std::string name_of(const ir::Graph& graph, const Stream& stream) {
  switch (stream.kind) {
    case StreamKind::Param:
      return "param";
    case StreamKind::Grad:
      return "grad";
    case StreamKind::State:
      return graph.states[stream.index].name;
    case StreamKind::Input:
      return graph.inputs[stream.index].name;
    case StreamKind::Scratch:
      return "scratch";
  }
  return {};
}

Plan plan_of(const std::string& rule, const std::string& module) {
  return make_plan(passes::run_passes(tests::graph_of_rule(rule, module)), types::ComputeType::F32);
}

/// Everything that loops in which `end` holds touch.
Touched touched_where(const Plan& plan, ir::NodeId end) {
  Touched touched;
  REQUIRE(plan.phases.size() == 1);
  const ElementPass& pass = *plan.phases[0].pass;
  std::size_t loops = 0;
  for (const LoopVersion& version : pass.versions) {
    bool holds = false;
    for (const Assumption& assumption : version.assumptions)
      holds = holds || (assumption.condition == end && assumption.holds);
    if (!holds) continue;
    ++loops;
    const Traffic traffic = traffic_of(plan, pass, version);
    for (std::size_t i = 0; i < pass.streams.size(); ++i) {
      if (!traffic.reads[i] && !traffic.writes[i]) continue;
      touched[name_of(plan.graph, pass.streams[i])] =
          std::string(traffic.reads[i] ? "r" : "") + (traffic.writes[i] ? "w" : "");
    }
  }
  CHECK(loops > 0);
  return touched;
}

constexpr const char* kRules = R"(
rule Limit {
  input model loss
  state seen
  step {
    skip if loss > 10
    seen = grad
    skip if loss > 9
  }
}
rule Branches {
  input model loss
  hyper bool a = false
  hyper bool b = false
  hyper bool c = false
  hyper bool d = false
  hyper bool e = false
  state m
  state v
  step {
    m = m + grad
    hold if t % 3 == 1
    if a { v = v + m }
    if b { v = v * m }
    if c { m = 2 * v }
    if d { v = v - m }
    if e { m = m * v }
    hold if t % 3 == 2
    skip if loss > 1
    update = v
  }
}
)";

}  // namespace

TEST_CASE("a held call of gradient accumulation moves the gradient and its sum") {
  const Plan plan = plan_of("AccumulateGradient | AdamW | Ema", "");
  CHECK(touched_where(plan, plan.graph.held) == Touched{{"grad", "r"}, {"total", "rw"}});
}

TEST_CASE("a skipped step touches nothing but what it keeps") {
  const Plan first = plan_of("AdamW | m.Limit | Lookahead", kRules);
  CHECK(touched_where(first, first.graph.skipped) == Touched{{"grad", "r"}, {"seen", "w"}});
  const Plan nothing = plan_of("AdamW | ReduceOnPlateau", "");
  CHECK_FALSE(nothing.graph.skipped.valid());
}

TEST_CASE("however many conditions a rule has, its ends have loops of their own") {
  const Plan plan = plan_of("m.Branches", kRules);
  CHECK(touched_where(plan, plan.graph.skipped) ==
        Touched{{"grad", "r"}, {"m", "rw"}, {"v", "rw"}});
  const Touched held = touched_where(plan, plan.graph.held);
  CHECK_FALSE(held.contains("param"));
  CHECK(plan.phases[0].pass->versions.back().assumptions.empty());
}

}  // namespace talweg::plan
