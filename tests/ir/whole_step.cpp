#include "tests/ir/whole_step.h"

#include <algorithm>
#include <cmath>

#include "compiler/ir/phases.h"
#include "compiler/ir/sequence.h"

namespace talweg::tests {

using builtins::Fold;
using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::Rate;
using ir::Value;

namespace {

constexpr std::uint32_t kAllGroups = UINT32_MAX;

/// Sizes about the lanes of a fold among small ones.
std::size_t random_size(Random& random) {
  constexpr std::size_t kSizes[] = {0, 1, 2, 3, 5};
  return random.chance(5) ? 62 + random.below(8) : kSizes[random.below(std::size(kSizes))];
}

std::vector<double> random_facts(const Graph& graph, std::size_t size, Random& random) {
  std::vector<double> facts;
  for (const types::Fact& fact : graph.facts) {
    if (fact.kind == types::FactKind::Size)
      facts.push_back(static_cast<double>(size));
    else if (fact.kind == types::FactKind::Rank)
      facts.push_back(static_cast<double>(random.below(4)));
    else
      facts.push_back(random.chance(50) ? 1 : 0);
  }
  return facts;
}

std::vector<double> random_numbers(std::size_t count, Random& random) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(random.number());
  return numbers;
}

/// A group of the same step as `first`.
ir::ScalarContext other_group(const Graph& graph, const ir::ScalarContext& first, Random& random) {
  ir::ScalarContext group = random_scalars(graph, random);
  group.step_number = first.step_number;
  group.call_number = first.call_number;
  for (std::size_t i = 0; i < graph.hypers.size(); ++i)
    if (graph.hypers[i].rate == Rate::Model) group.hypers[i] = first.hypers[i];
  for (std::size_t i = 0; i < graph.states.size(); ++i)
    if (graph.states[i].rate == Rate::Model) group.states[i] = first.states[i];
  group.given = first.given;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    if (graph.inputs[i].rate == Rate::Model) group.inputs[i] = first.inputs[i];
  return group;
}

}  // namespace

StepCase random_step(const Graph& graph, types::ComputeType compute, Random& random) {
  StepCase step;
  step.groups.push_back(random_scalars(graph, random));
  for (std::size_t more = random.below(3); more > 0; --more)
    step.groups.push_back(other_group(graph, step.groups.front(), random));
  for (std::size_t left = 1 + random.below(5); left > 0; --left) {
    TensorCase& tensor = step.tensors.emplace_back();
    tensor.group = static_cast<std::uint32_t>(random.below(step.groups.size()));
    tensor.takes_part = !random.chance(20);
    const std::size_t size = random_size(random);
    tensor.facts = random_facts(graph, size, random);
    tensor.states = random_numbers(graph.states.size(), random);
    tensor.inputs = random_numbers(graph.inputs.size(), random);
    for (std::size_t i = 0; i < size; ++i)
      tensor.elements.push_back(random_element(graph, compute, random));
  }
  return step;
}

double fold_one(Fold fold, double a, double b) {
  return fold == Fold::Dot ? ir::fold_sequence(fold, {&a, 1}, {&b, 1}) : a;
}

Fold fold_of_results(Fold fold) { return fold == Fold::Dot ? Fold::Sum : fold; }

WholeStep::WholeStep(const Graph& graph, types::ComputeType compute, const StepCase& given)
    : graph_(graph), compute_(compute), given_(given), reductions_(ir::find_reductions(graph)) {
  group_reduced_.assign(given.groups.size(), std::vector<double>(reductions_.size()));
  tensor_reduced_.assign(given.tensors.size(), std::vector<double>(reductions_.size()));
  const std::vector<std::uint32_t> phases = ir::find_phases(graph);
  std::uint32_t last = 0;
  for (const NodeId id : reductions_) last = std::max(last, phases[id.index]);
  evaluate();
  for (std::uint32_t phase = 0; phase <= last && !reductions_.empty(); ++phase) {
    for (std::size_t i = 0; i < reductions_.size(); ++i)
      if (phases[reductions_[i].index] == phase) reduce(i);
    evaluate();
  }
}

void WholeStep::evaluate() {
  ir::Machine machine(graph_, compute_);
  const auto snapshot = [&] {
    Values values;
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) values.push_back(machine[NodeId(i)]);
    return values;
  };
  group_values_.clear();
  tensor_values_.assign(given_.tensors.size(), {});
  element_values_.assign(given_.tensors.size(), {});
  for (std::size_t group = 0; group < given_.groups.size(); ++group) {
    ir::ScalarContext scalars = given_.groups[group];
    scalars.reduced = group_reduced_[group];
    machine.run_scalars(scalars);
    group_values_.push_back(snapshot());
    for (std::size_t i = 0; i < given_.tensors.size(); ++i) {
      const TensorCase& tensor = given_.tensors[i];
      if (tensor.group != group || !tensor.takes_part) continue;
      machine.run_tensor({tensor.facts, tensor.states, tensor.inputs, tensor_reduced_[i]});
      tensor_values_[i] = snapshot();
      for (const ir::ElementContext& element : tensor.elements) {
        machine.run_element(element);
        element_values_[i].push_back(snapshot());
      }
    }
  }
}

bool WholeStep::ranges_over(const Node& node, std::size_t tensor) const {
  return given_.tensors[tensor].takes_part && of_tensor(tensor, ir::domain_of(node)).truth;
}

double WholeStep::fold_elements(const Node& node, std::size_t tensor) const {
  const std::vector<Values>& elements = element_values_[tensor];
  if (node.fold == Fold::Count) return static_cast<double>(elements.size());
  std::vector<double> a, b;
  for (const Values& values : elements) {
    a.push_back(values[node.operands[0].index].number);
    if (node.fold == Fold::Dot) b.push_back(values[node.operands[1].index].number);
  }
  return ir::fold_sequence(node.fold, a, b);
}

double WholeStep::value_of_tensor(const Node& node, std::size_t tensor) const {
  if (node.over == Rate::Element) return fold_elements(node, tensor);
  if (node.fold == Fold::Count) return 1;
  return fold_one(node.fold, of_tensor(tensor, node.operands[0]).number,
                  of_tensor(tensor, node.operands[1]).number);
}

double WholeStep::fold_tensors(const Node& node, std::uint32_t group) const {
  std::vector<double> values(given_.tensors.size(), ir::fold_start(node.fold));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is_member = group == kAllGroups || given_.tensors[i].group == group;
    if (is_member && ranges_over(node, i)) values[i] = value_of_tensor(node, i);
  }
  return ir::fold_sequence(fold_of_results(node.fold), values);
}

double WholeStep::fold_groups(const Node& node) const {
  std::vector<double> values(given_.groups.size(), ir::fold_start(node.fold));
  for (std::size_t i = 0; i < given_.tensors.size(); ++i) {
    if (!ranges_over(node, i)) continue;
    const std::size_t group = given_.tensors[i].group;
    values[group] = node.fold == Fold::Count
                        ? 1
                        : fold_one(node.fold, of_group(group, node.operands[0]).number,
                                   of_group(group, node.operands[1]).number);
  }
  return ir::fold_sequence(fold_of_results(node.fold), values);
}

void WholeStep::reduce(std::size_t reduction) {
  const Node& node = graph_[reductions_[reduction]];
  if (node.rate == Rate::Tensor) {
    for (std::size_t i = 0; i < given_.tensors.size(); ++i)
      if (given_.tensors[i].takes_part)
        tensor_reduced_[i][reduction] =
            ranges_over(node, i) ? fold_elements(node, i) : ir::fold_start(node.fold);
    return;
  }
  for (std::uint32_t group = 0; group < given_.groups.size(); ++group) {
    double& result = group_reduced_[group][reduction];
    if (node.rate == Rate::Group)
      result = fold_tensors(node, group);
    else
      result = node.over == Rate::Group ? fold_groups(node) : fold_tensors(node, kAllGroups);
  }
}

std::vector<Value> outcome(const Graph& graph, types::ComputeType compute, const StepCase& given) {
  const WholeStep step(graph, compute, given);
  std::vector<Value> values;
  const auto add = [&](NodeId id, Rate rate) {
    if (!id.valid()) return;
    if (types::fits(rate, Rate::Group)) {
      const std::size_t groups = rate == Rate::Group ? given.groups.size() : 1;
      for (std::size_t i = 0; i < groups; ++i) values.push_back(step.of_group(i, id));
      return;
    }
    for (std::size_t i = 0; i < given.tensors.size(); ++i) {
      if (!given.tensors[i].takes_part) continue;
      if (rate == Rate::Tensor) values.push_back(step.of_tensor(i, id));
      for (std::size_t e = 0; e < given.tensors[i].elements.size() && rate != Rate::Tensor; ++e)
        values.push_back(step.of_element(i, e, id));
    }
  };
  for (const ir::HyperInfo& hyper : graph.hypers) {
    add(hyper.bound, hyper.rate);
    add(hyper.unless, Rate::Model);
  }
  for (const ir::StateInfo& state : graph.states) {
    add(state.kept, Rate::Model);
    add(state.present, Rate::Tensor);
    add(state.initial, state.rate);
  }
  for (const ir::InputInfo& input : graph.inputs) add(input.present, Rate::Tensor);
  for (const ir::Requirement& requirement : graph.requirements)
    add(requirement.condition, Rate::Tensor);
  for (const ir::Store& store : graph.stores)
    add(store.value,
        store.target == ir::StoreTarget::Param ? Rate::Element : graph.states[store.index].rate);
  add(graph.skipped, Rate::Model);
  add(graph.held, Rate::Model);
  for (const ir::ViewInfo& view : graph.views) add(view.value, Rate::Element);
  return values;
}

}  // namespace talweg::tests
