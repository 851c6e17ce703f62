// Which inputs a step reads: those that some result asks for through the arms that scalar
// conditions take.
//
// The same walk serves the interpreter, whose truths are known numbers, and the code generator,
// whose truths are emitted values: an input that the arms not taken would have read may be missing.
#pragma once

#include <optional>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/ir/phases.h"

namespace talweg::ir {

/// True for nodes that are or depend on an input.
std::vector<bool> depend_on_inputs(const Graph& graph);

/// For each input, whether it is read in the arms taken by selects whose condition is known: it has
/// a rate up to `known` and waits for no reduction; the other selects read both. `and` and `or`
/// read their right operand only where the left one, if it has a rate up to `known`, leaves the
/// answer open. Nothing for an input that no result depends on. Algebra gives
///   Truth truth(NodeId condition), Truth always(), Truth both(Truth, Truth), Truth either(Truth,
///   Truth), Truth negated(Truth)
/// and is asked for the truth only of known conditions.
template <class Algebra>
std::vector<std::optional<typename Algebra::Truth>> input_demand(const Graph& graph, Rate known,
                                                                 Algebra& algebra) {
  using Truth = typename Algebra::Truth;
  const std::vector<bool> depends = depend_on_inputs(graph);
  const std::vector<std::uint32_t> phases = find_phases(graph);
  const auto is_known = [&](NodeId id) {
    return types::fits(graph[id].rate, known) && phases[id.index] == 0;
  };
  std::vector<std::optional<Truth>> demand(graph.nodes.size());
  std::vector<std::optional<Truth>> inputs(graph.inputs.size());
  const auto join = [&](std::optional<Truth>& place, const Truth& truth) {
    place = place ? algebra.either(*place, truth) : truth;
  };
  const auto ask = [&](NodeId id, const Truth& truth) {
    if (depends[id.index]) join(demand[id.index], truth);
  };
  for (const Store& store : graph.stores) ask(store.value, algebra.always());
  for (const StateInfo& state : graph.states)
    if (state.kept.valid())
      ask(state.kept, is_known(graph.skipped) ? algebra.truth(graph.skipped) : algebra.always());
  for (const NodeId end : {graph.skipped, graph.held})
    if (end.valid()) ask(end, algebra.always());
  for (const Regrad& regrad : graph.regrads) {
    ask(regrad.condition, algebra.always());
    ask(regrad.param, algebra.always());
  }
  for (const HyperInfo& hyper : graph.hypers) {
    if (!hyper.bound.valid()) continue;
    if (!hyper.unless.valid()) {
      ask(hyper.bound, algebra.always());
    } else {
      ask(hyper.unless, algebra.always());
      ask(hyper.bound,
          is_known(hyper.unless) ? algebra.negated(algebra.truth(hyper.unless)) : algebra.always());
    }
  }
  const auto is_logic = [](const Node& node) {
    return node.kind == NodeKind::Apply &&
           (node.op == builtins::Op::And || node.op == builtins::Op::Or);
  };
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!demand[i]) continue;
    const Truth asked = *demand[i];
    const Node& node = graph.nodes[i];
    if (node.kind == NodeKind::Input) {
      join(inputs[node.index], asked);
    } else if (node.kind == NodeKind::Apply && node.op == builtins::Op::Select &&
               is_known(node.operands[0])) {
      const Truth condition = algebra.truth(node.operands[0]);
      ask(node.operands[0], asked);
      ask(node.operands[1], algebra.both(asked, condition));
      ask(node.operands[2], algebra.both(asked, algebra.negated(condition)));
    } else if (is_logic(node) && is_known(node.operands[0])) {
      // What decides is known: a constant before the step, else the left operand first.
      const auto leaves_open = [&](NodeId operand) {
        const Truth truth = algebra.truth(operand);
        return node.op == builtins::Op::And ? truth : algebra.negated(truth);
      };
      const bool right_is_constant = graph[node.operands[1]].rate == Rate::Const;
      ask(node.operands[0],
          right_is_constant ? algebra.both(asked, leaves_open(node.operands[1])) : asked);
      ask(node.operands[1], algebra.both(asked, leaves_open(node.operands[0])));
    } else {
      for (int k = 0; k < node.operand_count(); ++k)
        ask(node.operands[static_cast<std::size_t>(k)], asked);
    }
  }
  return inputs;
}

}  // namespace talweg::ir
