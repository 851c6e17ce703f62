#include "tests/plan/run_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "tests/ir/random_graph.h"

namespace talweg::tests {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Rate;
using ir::Value;

namespace {

class Runner {
 public:
  Runner(const plan::Plan& plan, const ir::ScalarContext& scalars,
         const ir::ElementContext& element)
      : plan_(plan), graph_(plan.graph), scalars_(scalars), element_(element) {}

  Outcome run() && {
    run_program(plan_.model, Rate::Model);
    run_program(plan_.group, Rate::Group);
    REQUIRE(plan_.passes.size() == 1);
    const plan::ElementPass& pass = plan_.passes.front();
    REQUIRE(!pass.versions.empty());
    REQUIRE(pass.versions.back().assumptions.empty());
    const auto holds = [&](const plan::Assumption& assumption) {
      return slot(assumption.condition).truth == assumption.holds;
    };
    const auto chosen =
        std::find_if(pass.versions.begin(), pass.versions.end(), [&](const auto& version) {
          return std::all_of(version.assumptions.begin(), version.assumptions.end(), holds);
        });
    outcome_.version = static_cast<std::size_t>(chosen - pass.versions.begin());
    run_version(*chosen);
    return std::move(outcome_);
  }

 private:
  using Values = std::map<NodeId, Value>;

  Value slot(NodeId id) {
    INFO("slot of %" << id.index);
    const auto found = slots_.find(id);
    REQUIRE(found != slots_.end());
    return found->second;
  }

  /// A value of the code that runs, or of a slot.
  Value read(const Values& values, NodeId id) {
    const auto found = values.find(id);
    return found == values.end() ? slot(id) : found->second;
  }

  void run_program(const plan::ScalarProgram& program, Rate rate) {
    Values values;
    for (const NodeId id : program.nodes) {
      const bool allowed = graph_[id].kind == NodeKind::Constant || graph_[id].rate == rate ||
                           (rate == Rate::Model && graph_[id].rate == Rate::Const);
      REQUIRE(allowed);
      values[id] = compute(id, values, {});
    }
    for (std::uint32_t i = 0; i < graph_.hypers.size(); ++i)
      if (graph_.hypers[i].bound.valid() && graph_.hypers[i].rate == rate)
        outcome_.bound[i] = read(values, graph_.hypers[i].bound);
    for (const ir::Store& store : graph_.stores)
      if (store.target == ir::StoreTarget::State && graph_.states[store.index].rate == rate)
        outcome_.states[store.index] = read(values, store.value).number;
    if (rate == Rate::Model) {
      for (const NodeId end : {graph_.skipped, graph_.held})
        if (end.valid()) outcome_.ends[end] = read(values, end).truth;
      for (const ir::StateInfo& state : graph_.states)
        if (state.kept.valid()) outcome_.ends[state.kept] = read(values, state.kept).truth;
    }
    for (const NodeId id : program.slots) {
      REQUIRE(values.count(id) == 1);
      REQUIRE(slots_.emplace(id, values[id]).second);
    }
  }

  void run_version(const plan::LoopVersion& version) {
    Values values;
    for (const NodeId id : version.nodes) {
      REQUIRE(graph_[id].rate == Rate::Element);
      REQUIRE(version.alias[id.index] == id);
      values[id] = compute(id, values, version.alias);
    }
    for (const plan::StreamStore& store : version.stores) {
      REQUIRE(version.alias[store.value.index] == store.value);
      REQUIRE(outcome_.streams.emplace(store.stream, read(values, store.value).number).second);
    }
  }

  Value compute(NodeId id, const Values& values, const std::vector<NodeId>& alias) {
    const Node& node = graph_[id];
    Value operands[3];
    ir::ValueType last_type = ir::ValueType::Scalar;
    for (int i = 0; i < node.operand_count(); ++i) {
      NodeId operand = node.operands[static_cast<std::size_t>(i)];
      if (!alias.empty()) operand = alias[operand.index];
      operands[i] = read(values, operand);
      last_type = graph_[operand].type;
    }
    const bool per_element = node.rate == Rate::Element;
    const types::ComputeType type = plan_.compute;
    switch (node.kind) {
      case NodeKind::Constant:
        return {.number = node.type == ir::ValueType::Bool ? 0 : node.value,
                .truth = node.type == ir::ValueType::Bool && node.value != 0};
      case NodeKind::Param:
        return {.number = element_.param};
      case NodeKind::Grad:
        return {.number = element_.grad};
      case NodeKind::State:
        return {.number = (per_element ? element_.states : scalars_.states)[node.index]};
      case NodeKind::Input:
        return {.number = (per_element ? element_.inputs : scalars_.inputs)[node.index]};
      case NodeKind::Given:
        return {.truth = scalars_.given[node.index]};
      case NodeKind::Hyper:
        return {.number = scalars_.hypers[node.index], .truth = scalars_.hypers[node.index] != 0};
      case NodeKind::StepNumber:
        return {.number = scalars_.step_number};
      case NodeKind::CallNumber:
        return {.number = scalars_.call_number};
      case NodeKind::Fact:
        break;
      case NodeKind::Apply:
        return ir::apply(node.op, last_type, type, operands);
      case NodeKind::ToArray:
        return {.number = ir::round_to(type, operands[0].number)};
      case NodeKind::DivScalar:
        return {.number = ir::divide_by_scalar(type, operands[0].number, operands[1].number)};
      case NodeKind::IsNormal: {
        const double value = operands[0].number;
        return {.truth = value != 0 && value - value == 0 && ir::flush(type, value) != 0};
      }
      case NodeKind::Flush:
        return {.number = ir::flush(type, operands[0].number)};
    }
    FAIL("a node of an unknown kind");
    return {};
  }

  const plan::Plan& plan_;
  const ir::Graph& graph_;
  const ir::ScalarContext& scalars_;
  const ir::ElementContext& element_;
  Values slots_;
  Outcome outcome_;
};

std::uint32_t stream_of(const plan::ElementPass& pass, const ir::Store& store) {
  const plan::StreamKind kind =
      store.target == ir::StoreTarget::Param ? plan::StreamKind::Param : plan::StreamKind::State;
  for (std::uint32_t i = 0; i < pass.streams.size(); ++i)
    if (pass.streams[i].kind == kind && pass.streams[i].index == store.index) return i;
  FAIL("a store without a stream");
  return 0;
}

/// What was in a place before the step: it stays where a plan does not write.
double before(const ir::Store& store, const ir::ElementContext& element) {
  return store.target == ir::StoreTarget::Param ? element.param : element.states[store.index];
}

}  // namespace

Outcome run_plan(const plan::Plan& plan, const ir::ScalarContext& scalars,
                 const ir::ElementContext& element) {
  return Runner(plan, scalars, element).run();
}

std::size_t require_plan_agrees(const plan::Plan& plan, const ir::ScalarContext& scalars,
                                const ir::ElementContext& element) {
  const Outcome outcome = run_plan(plan, scalars, element);
  ir::Machine machine(plan.graph, plan.compute);
  machine.run_scalars(scalars);
  machine.run_element(element);
  for (const ir::Store& store : plan.graph.stores) {
    const double expected = machine[store.value].number;
    if (store.target == ir::StoreTarget::State &&
        plan.graph.states[store.index].rate != ir::Rate::Element) {
      REQUIRE(same(outcome.states.at(store.index), expected));
      continue;
    }
    const auto written = outcome.streams.find(stream_of(plan.passes[0], store));
    const double given =
        written == outcome.streams.end() ? before(store, element) : written->second;
    REQUIRE(same(given, expected));
  }
  for (std::uint32_t i = 0; i < plan.graph.hypers.size(); ++i) {
    const ir::HyperInfo& hyper = plan.graph.hypers[i];
    if (hyper.bound.valid()) REQUIRE(same(outcome.bound.at(i).number, machine[hyper.bound].number));
  }
  for (const auto& [end, truth] : outcome.ends) REQUIRE(truth == machine[end].truth);
  return outcome.version;
}

}  // namespace talweg::tests
