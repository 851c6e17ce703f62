#include "tests/plan/plan_tables.h"

namespace talweg::tests {

using ir::Rate;

std::size_t Place::line(Rate of, const TensorCase& given) const {
  if (of == rate) return number;
  if (of == Rate::Row) return number / given.cols;
  const std::size_t matrix = rate == Rate::Row   ? number / given.rows
                             : rate == Rate::Col ? number / given.cols
                                                 : number / (given.rows * given.cols);
  return of == Rate::Matrix ? matrix : matrix * given.cols + number % given.cols;
}

PlanTables::PlanTables(const StepCase& given)
    : given_(given),
      groups_(given.groups.size()),
      tensors_(given.tensors.size()),
      left_(given.tensors.size()) {
  for (const Rate rate : {Rate::Matrix, Rate::Row, Rate::Col})
    for (const TensorCase& tensor : given.tensors) lines_[rate].emplace_back(tensor.count_of(rate));
}

Known& PlanTables::at(Rate rate, const Place& place) {
  if (types::fits(rate, Rate::Model)) return model_;
  if (rate == Rate::Group) return groups_[place.group];
  if (rate == Rate::Tensor) return tensors_[place.tensor];
  return lines_.at(rate)[place.tensor].at(place.line(rate, given_.tensors[place.tensor]));
}

}  // namespace talweg::tests
