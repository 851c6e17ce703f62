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

constexpr Rate kLineRates[] = {Rate::Matrix, Rate::Row, Rate::Col};

std::vector<double> random_facts(const Graph& graph, const TensorCase& tensor, std::size_t size,
                                 bool has_matrices, Random& random) {
  using types::FactKind;
  const std::size_t low_ranks = has_matrices ? 2 : 4;
  const std::size_t rank = tensor.matrices > 0 ? 2 + random.below(2) : random.below(low_ranks);
  std::vector<double> facts;
  for (const types::Fact& fact : graph.facts) {
    std::size_t value = random.below(2);
    if (fact.kind == FactKind::Size) value = size;
    if (fact.kind == FactKind::Rank) value = rank;
    if (fact.kind == FactKind::Rows) value = tensor.rows;
    if (fact.kind == FactKind::Cols) value = tensor.cols;
    if (fact.kind == FactKind::Matrices) value = tensor.matrices;
    facts.push_back(static_cast<double>(value));
  }
  return facts;
}

/// Whether tensors are seen as matrices.
bool uses_matrices(const Graph& graph) {
  const auto is_fact_of_matrices = [](const types::Fact& fact) {
    return fact.kind != types::FactKind::Size && fact.kind != types::FactKind::Rank &&
           !types::is_truth(fact.kind);
  };
  return std::ranges::any_of(graph.facts, is_fact_of_matrices) ||
         std::ranges::any_of(graph.nodes, [](const Node& node) {
           return types::is_of_matrices(node.rate) ||
                  (node.kind == ir::NodeKind::Reduce && types::is_of_matrices(node.over));
         });
}

/// Few elements, or one more row than a block has.
void draw_matrices(const Graph& graph, types::ComputeType compute, TensorCase& tensor,
                   Random& random) {
  constexpr std::size_t kSizes[] = {1, 2, 3, 5};
  tensor.matrices = 1 + random.below(2);
  tensor.rows = random.chance(5) ? 65 : kSizes[random.below(std::size(kSizes))];
  tensor.cols = kSizes[random.below(std::size(kSizes))];
  const auto values = [&](Rate rate, std::size_t count) {
    std::vector<std::vector<double>> all(tensor.count_of(rate));
    for (std::vector<double>& line : all)
      for (std::size_t i = 0; i < count; ++i)
        line.push_back(types::is_array(rate) ? random.array_number(compute) : random.number());
    return all;
  };
  tensor.matrix_states = values(Rate::Matrix, graph.states.size());
  tensor.row_states = values(Rate::Row, graph.states.size());
  tensor.col_states = values(Rate::Col, graph.states.size());
  tensor.matrix_inputs = values(Rate::Matrix, graph.inputs.size());
  tensor.row_inputs = values(Rate::Row, graph.inputs.size());
  tensor.col_inputs = values(Rate::Col, graph.inputs.size());
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
  const bool has_matrices = uses_matrices(graph);
  step.groups.push_back(random_scalars(graph, random));
  for (std::size_t more = random.below(3); more > 0; --more)
    step.groups.push_back(other_group(graph, step.groups.front(), random));
  for (std::size_t left = 1 + random.below(5); left > 0; --left) {
    TensorCase& tensor = step.tensors.emplace_back();
    tensor.group = static_cast<std::uint32_t>(random.below(step.groups.size()));
    tensor.takes_part = !random.chance(20);
    std::size_t size = random_size(random);
    // A rule that requires something is for matrices, as nearly all are that do.
    if (has_matrices && (!graph.requirements.empty() || random.chance(70))) {
      draw_matrices(graph, compute, tensor, random);
      size = tensor.matrices * tensor.rows * tensor.cols;
    }
    tensor.facts = random_facts(graph, tensor, size, has_matrices, random);
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
  for (const Rate rate : kLineRates)
    for (const TensorCase& tensor : given.tensors)
      line_reduced_[rate].emplace_back(tensor.count_of(rate),
                                       std::vector<double>(reductions_.size()));
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

WholeStep::Values WholeStep::snapshot(const ir::Machine& machine) const {
  Values values;
  for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) values.push_back(machine[NodeId(i)]);
  return values;
}

void WholeStep::evaluate() {
  ir::Machine machine(graph_, compute_);
  group_values_.clear();
  tensor_values_.assign(given_.tensors.size(), {});
  element_values_.assign(given_.tensors.size(), {});
  for (const Rate rate : kLineRates) {
    line_values_[rate].assign(given_.tensors.size(), {});
    for (std::size_t i = 0; i < given_.tensors.size(); ++i)
      line_values_[rate][i].resize(given_.tensors[i].count_of(rate));
  }
  for (std::size_t group = 0; group < given_.groups.size(); ++group) {
    ir::ScalarContext scalars = given_.groups[group];
    scalars.reduced = group_reduced_[group];
    machine.run_scalars(scalars);
    group_values_.push_back(snapshot(machine));
    for (std::size_t i = 0; i < given_.tensors.size(); ++i)
      if (given_.tensors[i].group == group && given_.tensors[i].takes_part)
        evaluate_tensor(machine, i);
  }
}

ir::LineContext WholeStep::line_context(Rate rate, std::size_t tensor, std::size_t line) const {
  const TensorCase& given = given_.tensors[tensor];
  const auto& states = rate == Rate::Matrix ? given.matrix_states
                       : rate == Rate::Row  ? given.row_states
                                            : given.col_states;
  const auto& inputs = rate == Rate::Matrix ? given.matrix_inputs
                       : rate == Rate::Row  ? given.row_inputs
                                            : given.col_inputs;
  return {states[line], inputs[line], line_reduced_.at(rate)[tensor][line]};
}

void WholeStep::evaluate_tensor(ir::Machine& machine, std::size_t tensor) {
  const TensorCase& given = given_.tensors[tensor];
  machine.run_tensor({given.facts, given.states, given.inputs, tensor_reduced_[tensor]});
  tensor_values_[tensor] = snapshot(machine);
  const auto run_line = [&](Rate rate, std::size_t line) {
    machine.run_line(rate, line_context(rate, tensor, line));
    line_values_[rate][tensor][line] = snapshot(machine);
  };
  for (std::size_t i = 0; i < given.elements.size(); ++i) {
    if (given.matrices > 0) {
      const std::size_t col = i % given.cols, row = i / given.cols, matrix = row / given.rows;
      run_line(Rate::Matrix, matrix);
      run_line(Rate::Row, row);
      run_line(Rate::Col, matrix * given.cols + col);
    }
    machine.run_element(given.elements[i]);
    element_values_[tensor].push_back(snapshot(machine));
  }
}

bool WholeStep::ranges_over(const Node& node, std::size_t tensor) const {
  return given_.tensors[tensor].takes_part && of_tensor(tensor, ir::domain_of(node)).truth;
}

double WholeStep::fold_values(const Node& node, const std::vector<Values>& values,
                              std::size_t first, std::size_t count) const {
  std::vector<double> a, b;
  for (std::size_t i = first; i < first + count; ++i) {
    a.push_back(values[i][node.operands[0].index].number);
    if (node.fold == Fold::Dot) b.push_back(values[i][node.operands[1].index].number);
  }
  return ir::fold_sequence(node.fold, a, b);
}

double WholeStep::fold_elements(const Node& node, std::size_t tensor) const {
  const std::vector<Values>& elements = element_values_[tensor];
  if (node.fold == Fold::Count) return static_cast<double>(elements.size());
  return fold_values(node, elements, 0, elements.size());
}

double WholeStep::value_of_row(const Node& node, std::size_t tensor, std::size_t row) const {
  const std::size_t cols = given_.tensors[tensor].cols;
  return fold_values(node, element_values_[tensor], row * cols, cols);
}

/// The rows of a block in order, then the blocks as a sequence.
double WholeStep::value_of_col(const Node& node, std::size_t tensor, std::size_t col) const {
  constexpr std::size_t kBlockRows = 64;
  const TensorCase& given = given_.tensors[tensor];
  const std::size_t first = col / given.cols * given.rows;
  std::vector<double> blocks;
  for (std::size_t row = 0; row < given.rows; ++row) {
    if (row % kBlockRows == 0) blocks.push_back(ir::fold_start(node.fold));
    const Values& values = element_values_[tensor][(first + row) * given.cols + col % given.cols];
    const double b = node.fold == Fold::Dot ? values[node.operands[1].index].number : 0;
    blocks.back() = ir::join(node.fold, blocks.back(), values[node.operands[0].index].number, b);
  }
  return ir::fold_sequence(fold_of_results(node.fold), blocks);
}

double WholeStep::value_of_matrix(const Node& node, std::size_t tensor, std::size_t matrix) const {
  const TensorCase& given = given_.tensors[tensor];
  if (node.over != Rate::Element) {
    const std::vector<Values>& lines = line_values_.at(node.over)[tensor];
    const std::size_t count = lines.size() / given.matrices;
    return fold_values(node, lines, matrix * count, count);
  }
  std::vector<double> rows;
  for (std::size_t row = 0; row < given.rows; ++row)
    rows.push_back(value_of_row(node, tensor, matrix * given.rows + row));
  return ir::fold_sequence(fold_of_results(node.fold), rows);
}

double WholeStep::value_of_tensor(const Node& node, std::size_t tensor) const {
  if (node.over == Rate::Element) return fold_elements(node, tensor);
  if (types::is_of_matrices(node.over)) {
    std::vector<double> matrices;
    for (std::size_t i = 0; i < given_.tensors[tensor].matrices; ++i)
      matrices.push_back(value_of_matrix(node, tensor, i));
    return ir::fold_sequence(fold_of_results(node.fold), matrices);
  }
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
  if (!types::fits(node.rate, Rate::Group)) {
    for (std::size_t i = 0; i < given_.tensors.size(); ++i)
      if (given_.tensors[i].takes_part) reduce_tensor(reduction, i);
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

/// One value for the tensor, or for each of its matrices, rows or columns.
void WholeStep::reduce_tensor(std::size_t reduction, std::size_t tensor) {
  const Node& node = graph_[reductions_[reduction]];
  const bool is_in = ranges_over(node, tensor);
  if (node.rate == Rate::Tensor) {
    tensor_reduced_[tensor][reduction] =
        is_in ? value_of_tensor(node, tensor) : ir::fold_start(node.fold);
    return;
  }
  for (std::size_t line = 0; line < given_.tensors[tensor].count_of(node.rate); ++line) {
    double& result = line_reduced_[node.rate][tensor][line][reduction];
    if (!is_in)
      result = ir::fold_start(node.fold);
    else if (node.rate == Rate::Matrix)
      result = value_of_matrix(node, tensor, line);
    else
      result = node.rate == Rate::Row ? value_of_row(node, tensor, line)
                                      : value_of_col(node, tensor, line);
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
      const bool is_of_lines = types::is_of_matrices(rate);
      for (std::size_t k = 0; is_of_lines && k < given.tensors[i].count_of(rate); ++k)
        values.push_back(step.of_line(rate, i, k, id));
      for (std::size_t e = 0; e < given.tensors[i].elements.size() && rate == Rate::Element; ++e)
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
