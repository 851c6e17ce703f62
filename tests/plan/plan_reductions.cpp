#include "tests/plan/plan_reductions.h"

#include <limits>

#include "compiler/ir/phases.h"
#include "compiler/ir/sequence.h"

namespace talweg::tests {

using builtins::Fold;
using ir::Node, ir::Rate;
using plan::PlannedReduction;

bool PlanReductions::ranges_over(const Node& node, std::size_t tensor) const {
  return given_.tensors[tensor].takes_part &&
         expected_.of_tensor(tensor, ir::domain_of(node)).truth;
}

double PlanReductions::found(const std::map<std::uint32_t, double>& partials,
                             std::uint32_t partial) {
  const auto at = partials.find(partial);
  if (at != partials.end()) return at->second;
  lacks_some_ = true;
  return std::numeric_limits<double>::quiet_NaN();
}

double PlanReductions::found(const std::map<std::uint32_t, std::vector<double>>& partials,
                             std::uint32_t partial, std::size_t number) {
  const auto at = partials.find(partial);
  if (at != partials.end()) return at->second.at(number);
  lacks_some_ = true;
  return std::numeric_limits<double>::quiet_NaN();
}

/// What a program has left at a place of the rate that is folded.
double PlanReductions::own(const PlannedReduction& reduction, const Place& place) {
  if (graph_[reduction.node].fold == Fold::Count) return 1;
  return found(tables_.at(place.rate, place).partials, reduction.partial);
}

/// Of the elements of a row or column.
double PlanReductions::of_line(const PlannedReduction& reduction, std::size_t tensor,
                               std::size_t line) {
  const TensorCase& given = given_.tensors[tensor];
  const bool is_row = reduction.kind == plan::PartialKind::LineRow;
  if (graph_[reduction.node].fold == Fold::Count)
    return static_cast<double>(is_row ? given.cols : given.rows);
  const LeftByLoops& left = tables_.left(tensor);
  return found(is_row ? left.rows : left.cols, reduction.partial, line);
}

double PlanReductions::of_matrix(const PlannedReduction& reduction, std::size_t tensor,
                                 std::size_t matrix) {
  const Node& node = graph_[reduction.node];
  const TensorCase& given = given_.tensors[tensor];
  if (node.over == Rate::Matrix) return own(reduction, {Rate::Matrix, given.group, tensor, matrix});
  const Rate rate = node.over == Rate::Element ? Rate::Row : node.over;
  const std::size_t count = given.count_of(rate) / given.matrices;
  std::vector<double> values;
  for (std::size_t line = matrix * count; line < (matrix + 1) * count; ++line)
    values.push_back(node.over == Rate::Element
                         ? of_line(reduction, tensor, line)
                         : own(reduction, {rate, given.group, tensor, line}));
  return ir::fold_sequence(fold_of_results(node.fold), values);
}

double PlanReductions::of_tensor(const PlannedReduction& reduction, std::size_t tensor) {
  const Node& node = graph_[reduction.node];
  const TensorCase& given = given_.tensors[tensor];
  if (node.over == Rate::Tensor) return own(reduction, {Rate::Tensor, given.group, tensor});
  if (types::is_of_matrices(node.over)) {
    std::vector<double> values;
    for (std::size_t matrix = 0; matrix < given.matrices; ++matrix)
      values.push_back(of_matrix(reduction, tensor, matrix));
    return ir::fold_sequence(fold_of_results(node.fold), values);
  }
  if (node.fold == Fold::Count) return static_cast<double>(given.elements.size());
  // A tensor without elements has no chunk.
  if (given.elements.empty()) return ir::fold_start(node.fold);
  return found(tables_.left(tensor).chunk, reduction.partial);
}

double PlanReductions::fold_tensors(const PlannedReduction& reduction, const std::size_t* group) {
  const Node& node = graph_[reduction.node];
  std::vector<double> values(given_.tensors.size(), ir::fold_start(node.fold));
  for (std::size_t i = 0; i < values.size(); ++i)
    if ((group == nullptr || given_.tensors[i].group == *group) && ranges_over(node, i))
      values[i] = of_tensor(reduction, i);
  return ir::fold_sequence(fold_of_results(node.fold), values);
}

double PlanReductions::fold_groups(const PlannedReduction& reduction) {
  const Node& node = graph_[reduction.node];
  std::vector<double> values(given_.groups.size(), ir::fold_start(node.fold));
  for (std::size_t i = 0; i < given_.tensors.size(); ++i)
    if (ranges_over(node, i))
      values[given_.tensors[i].group] = own(reduction, {Rate::Group, given_.tensors[i].group});
  return ir::fold_sequence(fold_of_results(node.fold), values);
}

/// One value for the tensor, or for each of its matrices, rows or columns.
void PlanReductions::reduce_in_tensor(const PlannedReduction& reduction, std::size_t tensor) {
  const Node& node = graph_[reduction.node];
  const TensorCase& given = given_.tensors[tensor];
  const std::size_t count = node.rate == Rate::Tensor ? 1 : given.count_of(node.rate);
  for (std::size_t i = 0; i < count; ++i) {
    double& result =
        tables_.at(node.rate, {node.rate, given.group, tensor, i}).reduced[reduction.node];
    if (!ranges_over(node, tensor))
      result = ir::fold_start(node.fold);
    else if (node.rate == Rate::Tensor)
      result = of_tensor(reduction, tensor);
    else
      result = node.rate == Rate::Matrix ? of_matrix(reduction, tensor, i)
                                         : of_line(reduction, tensor, i);
  }
}

void PlanReductions::reduce(const PlannedReduction& reduction) {
  const Node& node = graph_[reduction.node];
  if (!types::fits(node.rate, Rate::Group)) {
    for (std::size_t i = 0; i < given_.tensors.size(); ++i)
      if (given_.tensors[i].takes_part) reduce_in_tensor(reduction, i);
  } else if (node.rate == Rate::Group) {
    for (std::size_t i = 0; i < given_.groups.size(); ++i)
      tables_.at(Rate::Group, {Rate::Group, i}).reduced[reduction.node] =
          fold_tensors(reduction, &i);
  } else {
    tables_.at(Rate::Model, {}).reduced[reduction.node] =
        node.over == Rate::Group ? fold_groups(reduction) : fold_tensors(reduction, nullptr);
  }
}

}  // namespace talweg::tests
